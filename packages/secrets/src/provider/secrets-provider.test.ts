import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import type { CallOptions, Provider, Spec } from "@wfctl/engine";
import type { JsonObject } from "@wfctl/model";
import { expect, onTestFinished, test } from "vitest";
import type { SecretStore } from "../secret-store.ts";
import { createSecretsProvider } from "./secrets-provider.ts";

const options: CallOptions = { timeoutMs: 60_000, run: "r" };

function memoryStore(readable = true): SecretStore & { readonly held: Map<string, string> } {
  const held = new Map<string, string>();
  return {
    label: "memory",
    readable,
    held,
    get: (name) => (readable ? Promise.resolve(held.get(name)) : Promise.reject(new Error("cannot be read"))),
    set: async (name, value) => void held.set(name, value),
    delete: async (name) => void held.delete(name),
  };
}

function setup(store: SecretStore, endpoint = "http://127.0.0.1:1", token = "do-token") {
  const records = new Map<string, JsonObject>();
  const provider: Provider = createSecretsProvider({
    module: "s",
    version: "1",
    store: () => store,
    recorded: (name) => records.get(name),
    credentials: { token, endpoint, fetch },
  });
  return { provider, records };
}

const spec = (type: string, config: JsonObject): Spec => ({
  name: `secret.${config["key"] as string}`,
  type,
  config,
  dependsOn: [],
});

test.each<[string, number, RegExp]>([
  ["random_hex", 8, /^[0-9a-f]{16}$/],
  ["random_base64", 9, /^[A-Za-z0-9+/]{12}$/],
  ["random_alphanumeric", 40, /^[A-Za-z0-9]{40}$/],
])("%s makes a value of its form, another each time", async (generator, length, form) => {
  const { provider } = setup(memoryStore());
  const make = async (key: string): Promise<unknown> =>
    (await provider.create(spec("secret.random", { key, generator, length }), options)).outputs["value"];
  const [one, two] = [await make("A"), await make("B")];
  expect(one).toMatch(form);
  expect(one).not.toBe(two);
});

test("a create that is sent again gives the same secret", async () => {
  const { provider } = setup(memoryStore());
  const wanted = spec("secret.random", { key: "A", generator: "random_hex", length: 8, store: "m" });
  const first = await provider.create(wanted, options);
  const second = await provider.create(wanted, options);
  expect(second.outputs).toEqual(first.outputs);
  expect([first.created, second.created]).toEqual([true, false]);
});

test("a value moves to another store, and another recipe makes another value", async () => {
  const store = memoryStore();
  const { provider, records } = setup(store);
  const wanted = spec("secret.random", { key: "A", generator: "random_hex", length: 8 });
  const live = await provider.create(wanted, options);
  records.set(wanted.name, live.outputs);
  expect(await provider.diff(wanted, live, options)).toMatchObject({ needsUpdate: false, needsReplace: false });

  const moved = { ...wanted, config: { ...wanted.config, store: "m" } };
  expect(await provider.diff(moved, live, options)).toMatchObject({ needsUpdate: true, needsReplace: false });
  const after = await provider.update({ name: wanted.name, type: wanted.type, providerId: "A" }, moved, options);
  expect(store.held.get("A")).toBe(live.outputs["value"]);
  records.set(wanted.name, after.outputs);

  const longer = { ...moved, config: { ...moved.config, length: 16 } };
  expect(await provider.diff(longer, after, options)).toMatchObject({ needsReplace: true });
  expect((await provider.create(longer, options)).outputs["value"]).toMatch(/^[0-9a-f]{32}$/);
});

test("what a store cannot give back is known from the state", async () => {
  const { provider, records } = setup(memoryStore(false));
  const wanted = spec("secret.random", { key: "A", generator: "random_hex", length: 8, store: "m" });
  const live = await provider.create(wanted, options);
  records.set(wanted.name, live.outputs);
  const ref = { name: wanted.name, type: wanted.type, providerId: "A" };
  expect((await provider.read(ref, options))?.outputs).toEqual(live.outputs);
});

test("an output that is no text is refused", async () => {
  const { provider } = setup(memoryStore());
  await expect(provider.create(spec("secret.output", { key: "P", value: 5432 }), options)).rejects.toMatchObject({
    class: "validation",
    message: 'The value of secret "P" is no text, expected an output that is text',
  });
});

test("a credential is made, stored and deleted at the provider", async () => {
  const keys = new Set<string>();
  const server = createServer((request, response) => {
    if (request.headers.authorization !== "Bearer do-token") response.writeHead(401).end("{}");
    else if (request.method === "POST") {
      keys.add("AK");
      response.end(JSON.stringify({ key: { access_key: "AK", secret_key: "SK" } }));
    } else {
      keys.delete(request.url?.split("/").at(-1) ?? "");
      response.writeHead(204).end();
    }
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  onTestFinished(() => void server.close());
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const store = memoryStore();
  const { provider, records } = setup(store, url);
  const wanted = spec("secret.provider_credential", { key: "S", source: "digitalocean.spaces", name: "n", store: "m" });
  const live = await provider.create(wanted, options);
  records.set(wanted.name, live.outputs);
  expect(live.outputs).toMatchObject({ access_key: "AK", secret_key: "SK" });
  expect([...store.held]).toEqual([
    ["S_access_key", "AK"],
    ["S_secret_key", "SK"],
  ]);
  await provider.delete({ name: wanted.name, type: wanted.type, providerId: "S" }, options);
  expect([keys.size, store.held.size]).toEqual([0, 0]);

  const denied = setup(store, url, "wrong").provider.create(wanted, options);
  await expect(denied).rejects.toThrow("it refuses the credentials (status 401)");
});
