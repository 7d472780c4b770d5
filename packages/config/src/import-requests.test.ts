import { describe, expect, test } from "vitest";
import { lineOf, loadGood, loadText } from "./testing/load-text.ts";

const modules = `modules:
  - {name: cloud, type: iac.provider, config: {provider: fake}}
  - {name: db, type: infra.database}
  - {name: api, type: infra.x, environments: {dev: null, prod: {}}}
`;

async function problems(text: string, environment?: string): Promise<string[]> {
  const { diagnostics } = await loadText(text, environment === undefined ? {} : { environment });
  return diagnostics.map(lineOf);
}

describe("import", () => {
  test("names a resource and an id, each with its place", async () => {
    const stack = await loadGood(`${modules}import:\n  - {to: db, id: "123"}\n  - to: api\n    id: 42\n`, {
      environment: "prod",
    });
    expect(stack.imports).toEqual([
      { to: "db", id: "123", source: { file: "infra.yaml", line: 6, column: 5 } },
      { to: "api", id: "42", source: { file: "infra.yaml", line: 7, column: 5 } },
    ]);
  });

  test("may use variables, so that each environment has its own objects", async () => {
    const text = `variables: {db_id: {type: string}, n: 7}
environments: {dev: {variables: {db_id: d}}, prod: {variables: {db_id: p}}}
${modules}import:\n  - {to: db, id: "db-\${var.db_id}"}\n  - {to: api, id: "\${var.n}"}\n`;
    const idsIn = async (environment: string): Promise<string[]> =>
      (await loadGood(text, { environment })).imports.map(({ to, id }) => `${to} ${id}`);
    expect(await idsIn("prod")).toEqual(["db db-p", "api 7"]);
    // What the environment leaves out is not imported in it.
    expect(await idsIn("dev")).toEqual(["db db-d"]);
  });

  test("without a value for its variable is passed over where no value is needed", async () => {
    const text = `variables: {x: {type: string}}\n${modules}import: [{to: db, id: "\${var.x}"}]\n`;
    const { stack } = await loadText(text, { environment: "prod", variables: { required: false } });
    expect(stack?.imports).toEqual([]);
  });

  test("is joined over files, and a resource may be called by its name in another environment", async () => {
    const stack = await loadGood(
      {
        "infra.yaml": `imports: [more.yaml]\n${modules}  - {name: web, type: infra.x, environments: {prod: {config: {name: web-prod}}}}\nimport: [{to: db, id: a}]\n`,
        "more.yaml": "import: [{to: web, id: b}]\n",
      },
      { environment: "prod" },
    );
    expect(stack.imports.map(({ to, id }) => `${to} ${id}`)).toEqual(["db a", "web-prod b"]);
  });

  test.each<[string, string, string]>([
    [
      "an unknown name",
      "- {to: dbb, id: x}",
      '6:10 #/import/0/to: "import" names "dbb", expected the name of a resource (Did you mean "db"?)',
    ],
    [
      "a module that is no resource",
      "- {to: cloud, id: x}",
      '6:10 #/import/0/to: "import" names "cloud", expected the name of a resource (Known are "db" and "api")',
    ],
    [
      "an id that is missing",
      "- {to: db}",
      '6:5 #/import/0: An item of "import" has no id (Write {to: name, id: "…"})',
    ],
    [
      "an id that is a list",
      "- {to: db, id: [a]}",
      '6:18 #/import/0/id: "id" is a list, expected text (Write id: "…")',
    ],
    [
      "a secret id",
      '- {to: db, id: "${ID}"}',
      '6:18 #/import/0/id: "id" is a reference, expected text: it is needed when the plan is made, and shown in it (Write the id itself, or ${var.NAME} with a variable that is not sensitive)',
    ],
    [
      "a resource twice",
      "- {to: db, id: x}\n  - {to: db, id: y}",
      '7:10 #/import/1/to: "import" has "db" twice (A resource is one object: keep one of the two)',
    ],
    [
      "the words of others",
      "- {name: db, id: x}",
      '6:6 #/import/0/name: The key "name" is not known in import (Write "to")',
    ],
    [
      "a provider",
      "- {to: db, id: x, provider: cloud}",
      '6:21 #/import/0/provider: The key "provider" is not known in import (The provider is that of the resource: leave it out)',
    ],
    [
      "a file",
      "- network.yaml",
      '6:5 #/import/0: An item of "import" is text, expected a mapping (Write {to: name, id: "…"}; files to read stand under imports:)',
    ],
  ])("refuses %s", async (_, item, expected) => {
    expect((await problems(`${modules}import:\n  ${item}\n`, "prod")).join("\n")).toContain(
      `CONFIG_INVALID infra.yaml:${expected}`,
    );
  });

  test("refuses what is only read, and generated secrets", async () => {
    const found = await problems(
      `secrets: {generate: [{key: K, type: random_hex}]}\n${modules}  - {name: net, type: infra.vpc, existing: true}\nimport:\n  - {to: net, id: x}\n  - {to: secret.K, id: y}\n`,
      "prod",
    );
    expect(found).toEqual([
      'CONFIG_INVALID infra.yaml:8:10 #/import/0/to: "net" is "existing: true": it is only read, and cannot be imported (Remove the item, or "existing")',
      'CONFIG_INVALID infra.yaml:9:10 #/import/1/to: "secret.K" is a generated secret, which cannot be imported (A value that its store holds already is kept)',
    ]);
  });
});
