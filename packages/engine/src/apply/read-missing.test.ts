import { ProviderError } from "@wfctl/model";
import { createFakeProvider, createTestStack, ref, wanted, type TestStack } from "@wfctl/testkit";
import { describe, expect, test } from "vitest";
import type { LiveObject, Provider } from "../ports/index.ts";

/** A stack whose plugin tells no outputs of what it makes and changes, as upstream's may; a Read gives what `read` makes of it. */
function silentStack(read: (live: LiveObject) => LiveObject = (live) => live): TestStack {
  return createTestStack({
    providers: (cloud, clock) => {
      const provider = createFakeProvider(cloud, { clock });
      const { launched } = provider;
      const silent = async (answer: Promise<LiveObject>): Promise<LiveObject> => ({ ...(await answer), outputs: {} });
      provider.launched = () => {
        const own = launched();
        return {
          ...own,
          create: (...args: Parameters<Provider["create"]>) => silent(own.create(...args)),
          update: (...args: Parameters<Provider["update"]>) => silent(own.update(...args)),
          read: async (...args: Parameters<Provider["read"]>) => {
            const live = await own.read(...args);
            return live === undefined ? undefined : read(live);
          },
        };
      };
      return [provider];
    },
  });
}

const stackOf = (count = 1) => [wanted("a", { count }), wanted("b", { url: ref("a", "endpoint") })];
const readsOf = (stack: TestStack, name: string): number =>
  stack.provider.calls.filter((call) => call.operation === "read" && call.name === name).length;

describe("outputs that the answer to a write lacks, and others refer to", () => {
  test("are read once, so that all goes through in one run", async () => {
    const stack = silentStack();
    const run = await stack.apply(stackOf());
    expect(run.ends).toEqual({ a: "SUCCESS", b: "SUCCESS" });
    const endpoint = (await stack.record("a"))?.outputs["endpoint"];
    expect(endpoint).toMatch(/^https:/);
    expect(stack.cloud.objects().find(({ name }) => name === "b")?.inputs).toMatchObject({ url: endpoint });
    expect([readsOf(stack, "a"), readsOf(stack, "b")]).toEqual([1, 0]);
    expect((await stack.plan(stackOf())).plan.actions).toEqual([]);
  });

  test("are kept by an update as well", async () => {
    const stack = silentStack();
    await stack.apply(stackOf());
    const revision = (await stack.record("a"))?.outputs["revision"];
    await stack.apply(stackOf(2));
    expect((await stack.record("a"))?.outputs["endpoint"]).toMatch(/^https:/);
    expect((await stack.record("a"))?.outputs["revision"]).not.toBe(revision);
  });

  test("are not read where nobody refers to them, or to the id alone", async () => {
    const stack = silentStack();
    await stack.apply([wanted("a", { count: 1 }), wanted("b", { id: ref("a", "id") })]);
    expect([readsOf(stack, "a"), readsOf(stack, "b")]).toEqual([0, 0]);
    expect((await stack.record("a"))?.outputs).toEqual({});
  });

  test.each<[string, (live: LiveObject) => LiveObject]>([
    ["does not have them", (live) => ({ ...live, outputs: {} })],
    ["is of another object", (live) => ({ ...live, providerId: `${live.providerId}-other` })],
    [
      "fails",
      () => {
        throw new ProviderError("forbidden", "No reads here");
      },
    ],
    ["has a secret that is no text", (live) => ({ ...live, outputs: { endpoint: 5 }, sensitive: ["endpoint"] })],
    [
      "has what a secret store keeps",
      (live) => ({ ...live, outputs: { endpoint: "secret_ref://X#0123456789abcdef" } }),
    ],
  ])("a Read that %s leaves the create as it ended, and the dependent says what to run", async (_, read) => {
    const stack = silentStack(read);
    const run = await stack.apply(stackOf());
    expect(run.ends).toEqual({ a: "SUCCESS", b: "SKIPPED/REFERENCE_UNRESOLVED" });
    expect(run.outcomes.find(({ code }) => code !== undefined)?.message).toContain("wfctl apply --refresh");
    expect((await stack.record("a"))?.outputs).toEqual({});
  });
});
