import { expect, test } from "vitest";
import { lineOf, loadGood, loadText } from "./testing/load-text.ts";

const modules = `modules:
- {name: p, type: iac.provider, config: {provider: fake}}
- {name: db, type: infra.database}
- {name: api, type: infra.x, config: {key: '\${K}', uri: 'x\${URI}', up: '\${{ env.K + "!" }}', access: '\${C_access_key}'}}
`;
const generate = `secrets:
  generate:
  - {key: K, type: random_hex}
  - {key: URI, type: infra_output, source: db.tls.uri}
  - {key: C, type: provider_credential, source: digitalocean.spaces}
`;

test("generated secrets are resources, and names of secrets refer to them", async () => {
  const stack = await loadGood(generate + modules);
  expect(
    stack.resources.slice(2).map(({ name, type, provider, config }) => ({ name, type, provider, config })),
  ).toEqual([
    {
      name: "secret.K",
      type: "secret.random",
      provider: "wfctl.secrets",
      config: { key: "K", generator: "random_hex", length: 32 },
    },
    {
      name: "secret.URI",
      type: "secret.output",
      provider: "wfctl.secrets",
      config: { key: "URI", value: { $expr: [{ resource: "db", path: "tls.uri" }] } },
    },
    {
      name: "secret.C",
      type: "secret.provider_credential",
      provider: "wfctl.secrets",
      config: { key: "C", source: "digitalocean.spaces", name: "C" },
    },
  ]);
  expect(stack.resources[1]?.config).toEqual({
    key: { $expr: [{ resource: "secret.K", path: "value" }] },
    uri: { $expr: ["x", { resource: "secret.URI", path: "value" }] },
    up: {
      $expr: [{ computed: ' env.K + "!" ', refs: [{ resource: "secret.K", path: "value", as: "env.K" }] }],
    },
    access: { $expr: [{ resource: "secret.C", path: "access_key" }] },
  });
});

test("an environment chooses another store", async () => {
  const text = `environments: {prod: {secretsStoreOverride: b}, dev: {}}
secrets: {defaultStore: a, generate: [{key: K, type: random_hex}]}
secretStores: {a: {provider: env}, b: {provider: file, config: {path: 'x-\${WORKFLOW_ENV}'}}}
modules:
- {name: p, type: iac.provider, config: {provider: fake}}
`;
  const stores = async (environment: string): Promise<unknown> =>
    (await loadGood(text, { environment })).resources.map(({ config }) => config["store"]);
  expect([await stores("prod"), await stores("dev")]).toEqual([["b"], ["a"]]);
  const stack = await loadGood(text, { environment: "prod" });
  expect(JSON.stringify(stack.providers.at(-1)?.config)).toContain('"path":"x-prod"');
});

test.each<[string, string]>([
  ["{key: A, type: random_hx}", '"type" is "random_hx"'],
  ["{key: A}", 'The generator "A" has no type'],
  ["{key: A, type: random_hex, length: 0}", 'The length of "A" is no whole number from 1 to 4096'],
  ["{key: A, type: random_hex, store: nowhere}", 'The secret store "nowhere" of the generator "A" is not known'],
  ["{key: A, type: infra_output}", 'The generator "A" does not say which output it copies'],
  ["{key: A, type: infra_output, source: bd.uri}", '"${bd.uri}" refers to "bd", expected the name of a resource'],
  ["{key: A, type: provider_credential, source: aws.x}", 'expected "digitalocean.spaces"'],
])("%s is refused", async (generator, expected) => {
  const { diagnostics } = await loadText(
    `secrets: {generate: [${generator}]}\nmodules:\n- {name: p, type: iac.provider, config: {provider: fake}}\n- {name: db, type: infra.database}\n`,
  );
  expect(diagnostics.map(lineOf).join("\n")).toContain(expected);
});

test("a circle through a secret is told", async () => {
  const { diagnostics } = await loadText(
    `secrets: {generate: [{key: A, type: infra_output, source: db.uri}]}\nmodules:\n- {name: p, type: iac.provider, config: {provider: fake}}\n- {name: db, type: infra.database, config: {x: '\${A}'}}\n`,
  );
  expect(diagnostics.map(lineOf).join("\n")).toContain(
    "Resources depend on each other in a circle: db -> secret.A -> db",
  );
});

test.each<[string, string[]]>([
  [
    "secretStores: {a: {provider: flie}, b: {provider: file}, c: {provider: file, config: {path: 3, pth: x}}, d: {provider: github}}\n",
    [
      'infra.yaml:1:30 #/secretStores/a/provider: The secret store provider "flie" is not known (Did you mean "file"?)',
      'infra.yaml:1:40 #/secretStores/b: The secret store "b" of file has no path (Write config: {path: …})',
      'infra.yaml:1:93 #/secretStores/c/config/path: "path" is a number, expected text (Write path: "…")',
      'infra.yaml:1:96 #/secretStores/c/config/pth: The key "pth" is not known in the config of a secret store of file (Did you mean "path"?)',
      'infra.yaml:1:109 #/secretStores/d: The secret store "d" of github has no repo (Write config: {repo: …})',
    ],
  ],
  [
    "secrets: {provider: file, defaultStore: ci, entries: [{name: A, store: x}, {name: A}]}\n",
    [
      'infra.yaml:1:10 #/secrets: The secret store "file" of file has no path (Write config: {path: …})',
      'infra.yaml:1:41 #/secrets/defaultStore: The secret store "ci" of secrets.defaultStore is not known (Known are "file")',
      'infra.yaml:1:72 #/secrets/entries/0/store: The secret store "x" of the secret "A" is not known (Known are "file")',
      'infra.yaml:1:83 #/secrets/entries/1/name: "entries" has the name "A" twice (Keep one of the two)',
    ],
  ],
  [
    "secretStores: {e: {provider: file, config: {path: 'a/${NONE}'}}}\n",
    [
      'infra.yaml:1:54 wfctl.secrets#/config/stores/e/config/path: The environment variable "NONE" is not set (Set it, declare it under secrets.entries, or write $${NONE} for plain text)',
    ],
  ],
])("mistakes in secret stores are told where they stand, all of them: %s", async (text, expected) => {
  const { diagnostics } = await loadText(`${text}modules: []\n`, { env: {} });
  expect(diagnostics.map(lineOf)).toEqual(expected.map((line) => `CONFIG_INVALID ${line}`));
});

test("stores whose settings may come from elsewhere, and one that is named as its provider, are fine", async () => {
  const stack = await loadGood(
    "secrets: {provider: vault, defaultStore: vault}\nsecretStores: {vault: {provider: file, config: {path: '${P}'}}, w: {provider: vault}, x: {provider: aws, config: {region: null}}, y: {provider: env}}\nmodules: []\n",
    { env: { P: "p" } },
  );
  expect(Object.keys(stack.secrets.stores ?? {})).toEqual(["vault", "w", "x", "y"]);
});
