import { readFileSync, rmSync, writeFileSync } from "node:fs";
import { expect, test } from "vitest";
import { readJournal } from "./lib/journal.ts";
import { createSandbox, type Sandbox } from "./lib/sandbox.ts";

function writeProgram(box: Sandbox, body: string, settings = '{ name: "shop" }'): void {
  writeFileSync(
    box.path("infra.ts"),
    `import { defineStack, env, expr, variable } from "@wfctl/stack";
export default defineStack(${settings}, (stack) => {
  stack.provider("cloud", "cloud", { root: ${JSON.stringify(box.root)} });
${body}
});
`,
  );
}

test("variables and expressions: computed when they can be, deferred when they must be, secret when they are", async () => {
  const box = createSandbox();
  box.write(
    `
  - {name: net, type: infra.test, config: {value: "\${var.kind}"}}
  - {name: db, type: infra.test, config: {value: "\${{ net.endpoint + '/' + var.kind }}", password: "\${var.password}"}}
`,
    {
      extra:
        "variables: {kind: {enum: [a, b]}, password: {sensitive: true}}\noutputs: {upper: '${{ db.endpoint.upperAscii() }}'}",
    },
  );
  const missing = await box.run("plan");
  expect(missing.code).toBe(1);
  expect(missing.stderr + missing.stdout).toContain('The variable "kind" has no value');

  const env = { WFCTL_VAR_password: "hunter2-hunter2", WFCTL_VAR_kind: "b" };
  const wrong = await box.runWith(env, "plan", "--var", "kind=c");
  expect(wrong.stderr + wrong.stdout).toContain('The variable "kind" of --var is "c", expected one of "a", "b"');

  const planned = await box.runWith(env, "plan", "--var", "kind=a", "-o", "plan.json");
  expect(planned.code).toBe(0);
  expect(planned.stdout).toContain("net.endpoint + '/' + var.kind");
  const applied = await box.runWith(env, "apply", "--var", "kind=a", "--plan", "plan.json");
  expect(applied.stderr).not.toContain("rror");
  expect(applied.code).toBe(0);
  expect(applied.stdout).toMatch(/upper: "HTTPS:\/\/DB/);
  const [net, db] = box.cloud.objects();
  expect(net?.inputs).toMatchObject({ value: "a" });
  expect((db?.inputs as { value: string } | undefined)?.value).toMatch(/^https:\/\/net\..*\/a$/);
  expect(box.everything()).not.toContain("hunter2-hunter2");

  const again = await box.runWith(env, "plan", "--var", "kind=a", "--detailed-exitcode");
  expect(again.code).toBe(0);
  const other = await box.runWith({ ...env, WFCTL_VAR_password: "swordfish-swordfish" }, "plan", "--var", "kind=a");
  expect(other.stdout).toContain("Plan: 1 to update");
  expect(other.stdout + other.stderr).not.toContain("swordfish");
});

test("an expression over outputs that would not end ends its own resource", async () => {
  const box = createSandbox();
  box.write(`
  - {name: net, type: infra.test, config: {value: v}}
  - {name: db, type: infra.test, config: {value: "\${{ (net.endpoint + '${"a".repeat(40)}').matches('(a+)+!') ? 'x' : 'y' }}"}}
  - {name: other, type: infra.test, config: {value: "\${{ net.endpoint + '!' }}"}}
`);
  const applied = await box.run("apply", "-y");
  expect(applied.code).toBe(1);
  expect(applied.stdout + applied.stderr).toContain("The expression is not evaluated: it takes longer than 5 s");
  expect(applied.stdout + applied.stderr).not.toContain("has no value");
  expect(box.cloud.objects().map(({ name }) => name)).toEqual(["net", "other"]);
  const [run] = readJournal(box.directory, "shop.default.db");
  expect(run?.actions.find(({ name }) => name === "db")).toMatchObject({
    statuses: ["SKIPPED"],
    code: "REFERENCE_UNRESOLVED",
  });
});

test("a saved plan is stale when a secret variable changes, and says which", async () => {
  const box = createSandbox();
  box.write(`\n  - {name: db, type: infra.test, config: {value: v, password: "\${var.password}"}}\n`, {
    extra: "variables: {password: {sensitive: true}}",
  });
  await box.runWith({ WFCTL_VAR_password: "hunter2-hunter2" }, "plan", "-o", "plan.json");
  const stale = await box.runWith({ WFCTL_VAR_password: "other-password" }, "apply", "--plan", "plan.json");
  expect(stale.code).toBe(4);
  expect(stale.stderr).toContain("the variable password has another value");
});

test("a stack program is planned, applied and unchanged, and its YAML is the same stack", async () => {
  const box = createSandbox();
  writeProgram(
    box,
    `  const nets = ["a", "b"].map((zone) => stack.resource("infra.test", \`net-\${zone}\`, { value: zone }));
  stack.group("web", (group) => group.resource("infra.test", "api", { parents: nets.map((net) => net.id), value: expr\`size(\${nets[0]!.outputs.endpoint})\` }));
  stack.output("first", nets[0]!.outputs.endpoint);`,
  );
  const applied = await box.run("apply", "-y");
  expect(applied.stderr).not.toMatch(/^Error/m);
  expect(applied.stdout).toContain("3 created");
  expect(applied.stdout).toMatch(/first: "https:\/\/net-a\./);
  expect(box.cloud.objects().map((object) => object.name)).toEqual(["net-a", "net-b", "web.api"]);
  expect((await box.run("plan", "--detailed-exitcode")).code).toBe(0);

  const converted = await box.run("convert", "-o", "other.yaml");
  expect(converted).toMatchObject({ code: 0, stderr: "" });
  rmSync(box.path("infra.ts"));
  writeFileSync(box.path("infra.yaml"), readFileSync(box.path("other.yaml")));
  const yaml = await box.run("plan", "--detailed-exitcode");
  expect(yaml.stdout).toContain("No changes. 3 unchanged.");
});

test("a program that is not deterministic is refused before anything is planned", async () => {
  const box = createSandbox();
  writeProgram(box, '  stack.resource("infra.test", "a", { value: String(process.pid) });');
  const planned = await box.run("plan");
  expect(planned.code).toBe(1);
  expect(planned.stderr + planned.stdout).toContain("the value at /modules/1/config/value differs");
});

test("validate needs no values, checks every environment, and tells what fits no type", async () => {
  const box = createSandbox();
  box.write(
    `\n  - {name: a, type: infra.test, config: {value: "\${NOT_SET}"}, environments: {dev: {config: {value: "\${var.x}"}}, prod: null}}\n`,
    {
      extra: "variables: {x: {}}",
    },
  );
  const valid = await box.run("validate");
  expect(valid).toMatchObject({ code: 0, stderr: "" });
  expect(valid.stdout).toBe("The configuration is valid: 1 resource, environments dev, prod\n");
  const json = JSON.parse((await box.run("validate", "-e", "dev", "--json")).stdout) as object;
  expect(json).toMatchObject({ schema: "wfctl/validate/1", valid: true, environments: ["dev"] });

  box.write("\n  - {name: a, type: infra.tset}\n  - {name: b, type: infra.test, config: {value: '${c.id}'}}\n");
  const broken = await box.run("validate");
  expect(broken.code).toBe(1);
  expect(broken.stderr + broken.stdout).toContain('"${c.id}" refers to "c"');
  box.write("\n  - {name: a, type: infra.tset}\n");
  const type = await box.run("validate");
  expect(type.stderr + type.stdout).toContain('has no resource type "infra.tset"');
  expect(type.stderr + type.stdout).toContain('Did you mean "infra.test"?');
  expect(box.cloud.objects()).toEqual([]);
});

test("schema writes JSON Schema and TypeScript of the installed plugins", async () => {
  const box = createSandbox();
  box.write("\n  - {name: a, type: infra.test}\n");
  expect((await box.run("schema", "-o", "infra.schema.json")).code).toBe(0);
  const schema = JSON.parse(readFileSync(box.path("infra.schema.json"), "utf8")) as { $defs: object };
  expect(JSON.stringify(schema.$defs)).toContain("infra.test");
  const types = await box.run("schema", "--types");
  expect(types.stdout).toContain('declare module "@wfctl/stack"');
  expect(types.stdout).toContain('"infra.test": {');
});
