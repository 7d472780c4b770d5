import { cp, mkdtemp, readFile, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterEach, beforeEach, expect, test } from "vitest";
import { stackDigestInput } from "../digest.ts";
import { loadStack } from "../load-stack.ts";
import { lineOf } from "../testing/load-text.ts";
import { convertStack } from "./convert-stack.ts";

const testdata = fileURLToPath(new URL("../testdata", import.meta.url));
let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "wfctl-convert-"));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

async function facts(path: string): Promise<unknown> {
  const { environments } = await loadStack({ cwd: folder, path });
  const all: unknown[] = [];
  for (const environment of environments.length === 0 ? [undefined] : environments) {
    const { stack, diagnostics } = await loadStack({
      cwd: folder,
      path,
      ...(environment === undefined ? {} : { environment }),
    });
    if (stack === undefined) throw new Error(diagnostics.map(lineOf).join("\n"));
    all.push([
      stackDigestInput(stack),
      stack.outputs ?? null,
      stack.name,
      stack.secrets,
      stack.onFailure ?? null,
      stack.state?.config ?? null,
      stack.variables,
    ]);
  }
  return all;
}

async function convert(path: string, to: string, environment?: string): Promise<string> {
  const { text, diagnostics } = await convertStack({
    cwd: folder,
    path,
    ...(environment === undefined ? {} : { environment }),
  });
  if (text === undefined) throw new Error(diagnostics.map(lineOf).join("\n"));
  await writeFile(join(folder, to), text);
  return text;
}

const sample = `# The shop.
name: shop
on_failure: compensate
variables:
  # Tag of the image
  tag: "7"
environments:
  prod: {region: r1}
  dev: {}
x-anchor: &tags {team: core}
modules:
  - name: state
    type: iac.state
    config: {backend: filesystem, directory: .state}
  - name: cloud
    type: iac.provider
    config: {provider: fake, zone: z}
  # Holds the orders.
  # Do not lose it.
  - name: orders-db
    type: infra.database
    protected: true
    lifecycle: {ignore_changes: [a.b], retain: true}
    timeouts: {create: 45m, delete: 90}
    config:
      engine: pg # the kind
      size: s
      tags: {<<: *tags, own: "yes"}
      script: "plain \`tick\` \\\\ $\${NOT} a ref"
    environments:
      prod: {config: {size: l}}
      dev: null
  - name: class
    type: infra.vpc
  - name: api
    type: infra.container_service
    dependsOn: [class]
    config:
      image: "r/api:\${var.tag}"
      port: "\${class.port}"
      ids: ["\${class.id}", "x-\${class.id}-\${later.id}"]
      sum: "\${{ size('a') + 1 }}"
  - {name: later, type: infra.dns, satisfies: [a]}
import:
  # It was made by hand.
  - {to: orders-db, id: "db-\${var.tag}"}
  - to: later
    id: "0815"
outputs:
  class: {value: "\${class.id}", sensitive: true}
  plain: text
`;

test("YAML becomes a program of the same stack, with its comments", async () => {
  await writeFile(join(folder, "infra.yaml"), sample);
  const program = await convert("infra.yaml", "stack.ts");
  expect(await facts("stack.ts")).toEqual(await facts("infra.yaml"));
  expect(program).toContain("// The shop.\n");
  expect(program).toContain("  // Holds the orders.\n  // Do not lose it.\n  const ordersDb = stack.resource(");
  expect(program).toContain('engine: "pg", // the kind');
  expect(program).toContain("port: _class.outputs.port,");
  expect(program).toContain('  // It was made by hand.\n  stack.import(ordersDb, "db-${var.tag}");\n');
  expect(program).toContain('  stack.import("later", "0815");\n');
  expect(program).toContain("`x-${_class.id}-\\${later.id}`");
});

test("the program becomes YAML of the same stack again, with its comments", async () => {
  await writeFile(join(folder, "infra.yaml"), sample);
  await convert("infra.yaml", "stack.ts");
  const yaml = await convert("stack.ts", "again.yaml", "prod");
  expect(await facts("again.yaml")).toEqual(await facts("infra.yaml"));
  expect(yaml).toContain("# The shop.\n");
  expect(yaml).toContain("  # Holds the orders.\n  # Do not lose it.\n  - name: orders-db\n");
});

test("every sample stack goes both ways unchanged", async () => {
  for (const name of await readdir(testdata)) {
    await cp(join(testdata, name), folder, { recursive: true });
    const original = (await readdir(folder)).includes("infra.yaml") ? "infra.yaml" : "config/infra.yaml";
    const before = await readFile(join(folder, original), "utf8");
    const beside = original.replace("infra.yaml", "stack.ts");
    await convert(original, beside);
    expect(await facts(beside), name).toEqual(await facts(original));
    const { environments } = await loadStack({ cwd: folder, path: original });
    const again = original.replace("infra.yaml", "again.yaml");
    await convert(beside, again, environments[0]);
    expect(await facts(again), name).toEqual(await facts(original));
    expect(await readFile(join(folder, original), "utf8")).toBe(before);
    await rm(folder, { recursive: true });
  }
});

test("a stack with errors is not converted", async () => {
  await writeFile(join(folder, "infra.yaml"), "modules:\n- {name: a, type: infra.vpc}\n");
  const result = await convertStack({ cwd: folder });
  expect(result.text).toBeUndefined();
  expect(result.diagnostics.map(lineOf).join()).toContain("There are resources but no provider module");
});
