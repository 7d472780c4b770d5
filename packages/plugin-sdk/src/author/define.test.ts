import { expect, expectTypeOf, test } from "vitest";
import { defineProvider, defineResource, notFound, z, type CallContext } from "../index.ts";

interface Client {
  readonly account: string;
}

const input = z.strictObject({
  count: z.number().default(1),
  port: z.union([z.string(), z.number()]).transform(Number).optional(),
  rules: z.array(z.strictObject({ from: z.string() })).optional(),
});

const thing = defineResource<Client>()({
  type: "test.thing",
  description: "",
  input,
  outputs: z.object({ url: z.string() }),
  forceNew: ["count", "rules.0.from"],
  // @ts-expect-error Not a key of the input
  writeOnly: ["nothing"],
  async create(desired, context) {
    expectTypeOf(desired.input.count).toEqualTypeOf<number>();
    expectTypeOf(desired.input.port).toEqualTypeOf<number | undefined>();
    expectTypeOf(context).toEqualTypeOf<CallContext<Client>>();
    return { id: "1", outputs: { url: context.client.account } };
  },
  // @ts-expect-error An output is missing
  read: async () => ({ id: "1", outputs: {} }),
  update: async () => notFound(),
  delete: async () => undefined,
});

const definition = {
  name: "things",
  version: "1.0.0",
  description: "",
  config: z.strictObject({ account: z.string() }),
  resources: [thing],
  configure: ({ account }: { account: string }) => ({ account }),
  identity: ({ account }: Client) => ({ identity: account }),
};

test("defineResource: infers the input and the outputs from the schemas", () => {
  expect(thing.type).toBe("test.thing");
});

test("defineProvider: takes a definition as it is", () => {
  expect(defineProvider<Client, { account: string }>(definition).name).toBe("things");
});

test.each([
  [{ name: "My Things" }, /Provider name "My Things"/],
  [{ version: "1.0" }, /Version "1.0" of provider "things" is not MAJOR.MINOR.PATCH/],
  [{ resources: [thing, thing] }, /Provider "things" defines type "test.thing" twice/],
])("defineProvider: refuses what cannot be served", (change, message) => {
  expect(() => defineProvider<Client, { account: string }>({ ...definition, ...change })).toThrow(message);
});
