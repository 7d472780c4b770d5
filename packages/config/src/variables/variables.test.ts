import { describe, expect, test } from "vitest";
import { lineOf, loadGood, loadText } from "../testing/load-text.ts";

const head = "- {name: p, type: iac.provider, config: {provider: fake}}";
function file(variables: string, config: string, extra = ""): string {
  return `variables:\n${variables}\n${extra}modules:\n${head}\n- name: db\n  type: infra.database\n  config: ${config}\n- name: orders-db\n  type: infra.database\n`;
}
async function configOf(text: string, options: Parameters<typeof loadGood>[1] = {}): Promise<unknown> {
  const stack = await loadGood(text, { variables: { required: true }, ...options });
  return stack.resources.find((resource) => resource.name === "db")?.config;
}
async function problems(text: string, options: Parameters<typeof loadText>[1] = {}): Promise<string[]> {
  const { diagnostics } = await loadText(text, { variables: { required: true }, ...options });
  return diagnostics.map(lineOf);
}

describe("values of variables", () => {
  test("keep their type as whole values, and are text inside of text", async () => {
    const text = file(
      "  port: 5432\n  zones: [a, b]\n  tags: {type: map, default: {team: core}}\n  on: true",
      "{port: '${var.port}', zones: '${var.zones}', team: '${var.tags.team}', on: '${var.on}', url: 'x:${var.port}/${var.on}'}",
    );
    expect(await configOf(text)).toEqual({ port: 5432, zones: ["a", "b"], team: "core", on: true, url: "x:5432/true" });
  });

  test("decide what references may not: size, provider, dependencies", async () => {
    const stack = await loadGood(
      file("  size: l\n  after: [orders-db]", "{size: '${var.size}', depends_on: '${var.after}'}"),
      { variables: { required: true } },
    );
    expect(stack.resources[0]).toMatchObject({ size: "l", dependsOn: ["orders-db"] });
  });

  test("default, environment, WFCTL_VAR_*, file and assignment: the later one wins", async () => {
    const text = file(
      "  size: {default: s}",
      "{tier: '${var.size}'}",
      "environments: {prod: {variables: {size: m}}}\n",
    );
    const files = { "infra.yaml": text, "l.yaml": "size: l\n", "xl.json": '{"size": "xl"}' };
    const tier = async (variables: object): Promise<unknown> => {
      const stack = await loadGood(files, { environment: "prod", variables: { required: true, ...variables } });
      return stack.resources[0]?.config["tier"];
    };
    expect(await tier({})).toBe("m");
    expect(await tier({ env: { WFCTL_VAR_size: "e", WFCTL_VAR_other: "x" } })).toBe("e");
    expect(await tier({ env: { WFCTL_VAR_size: "e" }, files: ["l.yaml"] })).toBe("l");
    expect(await tier({ files: ["l.yaml", "xl.json"] })).toBe("xl");
    expect(await tier({ files: ["l.yaml"], assignments: ["size=a", "size=b=c"] })).toBe("b=c");
  });

  test("texts from outside are read by the type", async () => {
    const text = file(
      "  n: {type: integer}\n  b: {type: boolean}\n  l: {type: list}\n  m: {type: map}\n  s: {type: string}",
      "{v: ['${var.n}', '${var.b}', '${var.l}', '${var.m}', '${var.s}']}",
    );
    const assignments = ["n=7", "b=true", 'l=["x"]', 'm={"k":1}', "s=007"];
    expect(await configOf(text, { variables: { required: true, assignments } })).toEqual({
      v: [7, true, ["x"], { k: 1 }, "007"],
    });
  });

  test("a sensitive one stays symbolic and is handed over apart", async () => {
    const stack = await loadGood(
      file("  password: {sensitive: true}", "{master: '${var.password}', dsn: 'u:${var.password}@h'}"),
      { variables: { required: true, env: { WFCTL_VAR_password: "hunter22" } } },
    );
    expect(JSON.stringify([stack.resources, stack.variables])).not.toContain("hunter22");
    expect(stack.resources[0]?.config["master"]).toEqual({ $expr: [{ env: "var.password" }] });
    expect(stack.secretVariables).toEqual({ "var.password": "hunter22" });
  });

  test("none is asked for where none is required, wherever it stands", async () => {
    const stack = await loadGood(file("  size: {}", "{size: '${var.size}', x: '${var.size}'}"));
    expect(stack.resources[0]?.size).toBeUndefined();
  });
});

describe("what is wrong with variables", () => {
  test.each<[string, string, object, string]>([
    [
      "no value",
      file("  size: {}", "{}"),
      {},
      '2:3 #/variables/size: The variable "size" has no value (Write --var size=…',
    ],
    [
      "not declared",
      file("  size: s", "{a: '${var.szie}'}"),
      {},
      'The variable "szie" is not declared (Did you mean "size"?)',
    ],
    [
      "not declared in an expression",
      file("  size: s", "{a: '${{ var.szie }}'}"),
      {},
      'The variable "szie" is not declared',
    ],
    [
      "not declared outside",
      file("  size: s", "{}"),
      { assignments: ["siez=1"] },
      'The variable "siez" of --var is not declared (Did you mean "size"?)',
    ],
    ["no assignment", file("  size: s", "{}"), { assignments: ["size"] }, 'A --var is "size", expected NAME=value'],
    [
      "wrong type",
      file("  n: {type: integer}", "{}"),
      { assignments: ["n=x"] },
      'The variable "n" of --var is "x", expected a whole number',
    ],
    [
      "wrong word",
      file("  s: {enum: [a, b]}", "{}"),
      { assignments: ["s=c"] },
      'The variable "s" of --var is "c", expected one of "a", "b" (Write one of them)',
    ],
    [
      "wrong default",
      file("  s: {enum: [a, b], default: c}", "{}"),
      {},
      'The variable "s" is "c", expected one of "a", "b" (Write one of them)',
    ],
    ["wrong type word", file("  s: {type: strin}", "{}"), { assignments: ["s=1"] }, '"type" is "strin"'],
    ["unknown key", file("  s: {defualt: 1}", "{}"), { assignments: ["s=1"] }, 'Did you mean "default"?'],
    ["a missing file", file("  s: a", "{}"), { files: ["no.yaml"] }, 'The file of --var-file "no.yaml" does not exist'],
    [
      "a secret default",
      file("  s: {sensitive: true, default: x}", "{}"),
      {},
      'The sensitive variable "s" has a default',
    ],
    [
      "a secret list",
      file("  s: {sensitive: true, type: list}", "{}"),
      { assignments: ["s=[]"] },
      "expected text: only texts are sealed",
    ],
    [
      "a secret size",
      file("  s: {sensitive: true}", "{size: '${var.s}'}"),
      { assignments: ["s=x"] },
      '"size" is a reference, expected text',
    ],
    ["no such part", file("  m: {default: {a: 1}}", "{x: '${var.m.b}'}"), {}, 'The variable "m" has no "b"'],
    [
      "undeclared in an environment",
      file("  size: s", "{}", "environments: {prod: {variables: {siez: m}}}\n"),
      {},
      'The variable "siez" is not declared',
    ],
  ])("%s", async (_, text, variables, expected) => {
    const environment = text.includes("environments:") ? { environment: "prod" } : {};
    const found = await problems(text, { variables: { required: true, ...variables }, ...environment });
    expect(found.join("\n")).toContain(expected);
  });

  test.each<[string, string]>([
    ["{pattern: '(', default: a}", '"pattern" is no regular expression that can be read: unterminated group'],
    ["{enum: [], default: a}", '"enum" is an empty list, so that no value fits'],
    ["{minimum: x, default: 1}", '"minimum" is text, expected a number'],
    ["{minimum: 5, maximum: 1, default: 3}", '"minimum" is 5 and "maximum" is 1, so that no value fits'],
    ["{minimum: 3, default: a}", '"minimum" says nothing of a variable of type string'],
    ["{pattern: x, default: 1}", '"pattern" says nothing of a variable of type number'],
    [
      "{default: [1], items: {type: map}}",
      'The type of items is "map", expected one of JSON Schema (Write type: object)',
    ],
    ["{default: [1], items: {items: {pattern: '['}}}", '"pattern" is no regular expression'],
  ])("a declaration that no value fits, or that says nothing, is an error: %s", async (declaration, expected) => {
    expect((await problems(file(`  v: ${declaration}`, "{}"))).join("\n")).toContain(expected);
  });

  test("a pattern that takes for ever is given up, and told", async () => {
    const text = file(`  v: {pattern: '^(a+)+$', default: ${"a".repeat(40)}b}`, "{}");
    expect((await problems(text)).join("\n")).toContain(
      'The pattern of the variable "v" takes too long to be compared with its value (Write the pattern without repetitions',
    );
  });

  test("where a file of values cannot be read, nobody is told that values are missing", async () => {
    const text = { "infra.yaml": file("  a: {}\n  b: {}", "{}"), "bad.yaml": "a: [", "list.yaml": "- a\n" };
    for (const name of ["none.yaml", "bad.yaml", "list.yaml"]) {
      // oxlint-disable-next-line no-await-in-loop -- three
      const { diagnostics } = await loadText(text, { variables: { required: true, files: [name] } });
      expect(diagnostics.map(lineOf).join("\n")).not.toContain("has no value");
      expect(diagnostics.length).toBeGreaterThan(0);
    }
  });

  test("a sensitive value is not repeated", async () => {
    const text = file("  s: {sensitive: true, pattern: '^x'}", "{}");
    const found = await problems(text, { variables: { required: true, assignments: ["s=hunter22"] } });
    expect(found).toHaveLength(1);
    expect(found[0]).not.toContain("hunter22");
  });
});

describe("expressions", () => {
  test("that need variables only are computed when the file is read", async () => {
    const text = file(
      "  tier: prod\n  n: 2",
      '{size: \'${{ var.tier == "prod" ? "l" : "s" }}\', nets: \'${{ range(var.n).map(i, cidrSubnet("10.0.0.0/16", 8, i)) }}\', t: \'n=${{ var.n + 1 }}\'}',
    );
    expect(await configOf(text)).toEqual({ size: "l", nets: ["10.0.0.0/24", "10.0.1.0/24"], t: "n=3" });
  });

  test("with references keep them as edges, by the name that is in force", async () => {
    const text = file(
      "  n: 2",
      "{port: '${{ resource[\"orders-db\"].port + var.n }}'}",
      "environments: {prod: {}}\n",
    ).concat("  environments: {prod: {config: {name: orders-prod}}}\n");
    const stack = await loadGood(text, { environment: "prod", variables: { required: true } });
    expect(stack.resources[0]?.config["port"]).toEqual({
      $expr: [
        {
          computed: ' resource["orders-db"].port + var.n ',
          refs: [{ resource: "orders-prod", path: "port", as: "orders-db" }],
          variables: { n: 2 },
        },
      ],
    });
  });

  test.each<[string, string]>([
    ["{a: '${{ bd.port }}'}", '"${bd.port}" refers to "bd", expected the name of a resource (Did you mean "db"?)'],
    ["{a: '${{ 1 + }}'}", "infra.yaml:7:24 db#/config/a: The expression cannot be evaluated"],
    ["{a: '${{ var.n + \"x\" }}'}", "The expression cannot be evaluated"],
    ["{a: 'x ${{ 1 '}", "The expression is not closed, expected }}"],
    ["{a: '${{ env.NOPE }}'}", 'The environment variable "NOPE" is not set'],
    ["{a: '${{ db.x }}'}", 'The resource "db" depends on itself'],
    ["{size: '${{ resource[\"orders-db\"].x }}'}", '"size" is a reference, expected text'],
  ])("%s is refused", async (config, expected) => {
    expect((await problems(file("  n: 2", config))).join("\n")).toContain(expected);
  });

  test("that loop for ever are ended, and told", async () => {
    const nested = "range(1000).map(i, range(1000).map(j, range(1000).exists(k, k < 0)))";
    const found = await problems(file("  v: a", `{x: '\${{ ${nested} }}'}`));
    expect(found.join("\n")).toContain("The expression is not evaluated: it takes longer than 5 s");
  });

  test("$${{ is plain text", async () => {
    expect(await configOf(file("  n: 1", "{a: '$${{ github.sha }}'}"))).toEqual({ a: "${{ github.sha }}" });
  });
});
