import { readFileSync, writeFileSync } from "node:fs";
import { expect, test } from "vitest";
import { createSandbox, type Sandbox } from "./lib/sandbox.ts";

const net = "  - {name: net, type: infra.test, config: {value: hello}}\n";
const db = '  - {name: db, type: infra.test, config: {value: "${net.endpoint}"}}\n';
const entries = (...items: string[]): { extra: string } => ({
  extra: `import:\n${items.map((item) => `  - ${item}\n`).join("")}`,
});

interface PlanJson {
  readonly summary: Record<string, number>;
  readonly actions: readonly Record<string, unknown>[];
}

/** A stack whose two objects exist, and whose state has forgotten them. */
async function forgotten(): Promise<Sandbox> {
  const box = createSandbox();
  box.write(net + db);
  await box.run("apply", "-y");
  await box.run("state", "rm", "net");
  await box.run("state", "rm", "db");
  return box;
}

async function recordsOf(box: Sandbox): Promise<readonly Record<string, unknown>[]> {
  return (JSON.parse((await box.run("state", "list", "--json")).stdout) as { records: Record<string, unknown>[] })
    .records;
}

test("import entries are shown as imports in every form, applied from a saved plan, and quiet afterwards", async () => {
  const box = await forgotten();
  const [a, b] = box.cloud.objects().map((object) => object.id);
  box.write(net.replace("hello", "bye") + db, entries(`{to: net, id: ${a}}`, `{to: db, id: ${b}}`));
  const planned = await box.run("plan", "-o", "plan.json");
  expect(planned.code).toBe(0);
  expect(planned.stdout).toContain(`= import net (infra.test), id ${a}\n      value: "hello" → "bye"\n`);
  expect(planned.stdout).toContain("because the object exists and will be imported");
  expect(planned.stdout).toContain("Plan: 2 to import.");
  const json = JSON.parse((await box.run("plan", "--json")).stdout) as PlanJson;
  expect(json.summary).toMatchObject({ import: 2, create: 0 });
  expect(json.actions[0]).toMatchObject({ kind: "import", name: "net", importId: a });
  const markdown = await box.run("show", "plan.json", "--format", "markdown");
  expect(markdown.stdout).toContain("| = import | net | infra.test | the object exists and will be imported;");

  const applied = await box.run("apply", "--plan", "plan.json");
  expect(applied).toMatchObject({ code: 0 });
  expect(applied.stdout).toContain("= imported net");
  expect(box.cloud.objects()).toHaveLength(2);
  expect(box.cloud.objects().find((object) => object.id === a)?.inputs).toMatchObject({ value: "bye" });
  expect(await recordsOf(box)).toMatchObject([
    { name: "db", providerId: b, createdByUs: false, dependencies: ["net"] },
    { name: "net", providerId: a, createdByUs: false },
  ]);
  expect((await box.run("plan", "--detailed-exitcode")).code).toBe(0);
  expect((await box.run("apply", "-y")).stdout).toContain("No changes");
  expect((await box.run("apply", "--plan", "plan.json")).code).toBe(4);
});

test("a saved plan with another id in its entry is stale and says so", async () => {
  const box = await forgotten();
  const [a, b] = box.cloud.objects().map((object) => object.id);
  box.write(net, entries(`{to: net, id: ${a}}`));
  await box.run("plan", "-o", "plan.json");
  box.write(net, entries(`{to: net, id: ${b}}`));
  const stale = await box.run("apply", "--plan", "plan.json");
  expect(stale.code).toBe(4);
  expect(stale.stderr).toContain('the import of "net" is another one now');
  expect(await recordsOf(box)).toEqual([]);
});

test("what cannot be imported is an error with the place of its entry, and nothing runs", async () => {
  const box = await forgotten();
  const [a] = box.cloud.objects().map((object) => object.id);
  const at = (line: number): string => `infra.yaml:${line}:5: `;

  box.write(net + db, entries(`{to: net, id: ${a}}`, "{to: db, id: test-9}"));
  const missing = await box.run("apply", "-y");
  expect(missing.code).toBe(1);
  expect(missing.stdout).toContain(
    `${at(4)}Cannot import "db" from "test-9": provider module "cloud" has no infra.test with this id [NOT_FOUND]`,
  );
  expect(await recordsOf(box)).toEqual([]);

  box.write(net + db, entries(`{to: net, id: ${a}}`, "{to: dbb, id: test-9}"));
  const unknown = await box.run("plan");
  expect(unknown.code).toBe(1);
  expect(unknown.stderr).toContain('infra.yaml:4:10: "import" names "dbb", expected the name of a resource');
  expect(unknown.stderr).toContain('Did you mean "db"?');
  expect((await box.run("validate")).stderr).toContain('"import" names "dbb"');

  box.write("  - {name: net, type: infra.test, config: {region: us}}\n", entries(`{to: net, id: ${a}}`));
  box.cloud.update("main", String(a), { value: "hello", region: "eu" });
  const forced = await box.run("plan");
  expect(forced.code).toBe(1);
  expect(forced.stdout).toContain(`${at(3)}Cannot import "net" from "${a}": the object has another region`);

  box.write(net, entries(`{to: net, id: ${a}}`));
  expect((await box.run("apply", "-y")).code).toBe(0);
  box.write(net, entries("{to: net, id: test-7}"));
  const other = await box.run("plan");
  expect(other.stdout).toContain(
    `${at(3)}Cannot import "net" from "test-7": it is recorded with another id, "${a}" [CONFIG_INVALID]`,
  );
  box.write(net + db, entries(`{to: db, id: ${a}}`));
  expect((await box.run("plan")).stdout).toContain('the state records this object as "net" already');
});

test("a plugin that serves no Import is asked by Read, and a program declares the same entries", async () => {
  const box = createSandbox();
  const options = { provider: "upstreamlike" };
  box.write(net, options);
  expect((await box.run("apply", "-y")).code).toBe(0);
  const [record] = await recordsOf(box);
  await box.run("state", "rm", "net");
  writeFileSync(
    box.path("stack.ts"),
    `import { defineStack } from "@wfctl/stack";
export default defineStack({ name: "shop" }, (stack) => {
  stack.provider("cloud", "upstreamlike", { root: ${JSON.stringify(box.root)} });
  const net = stack.resource("infra.test", "net", { value: "hello" });
  stack.import(net, ${JSON.stringify(record?.["providerId"])});
});\n`,
  );
  const applied = await box.run("apply", "-y", "-c", "stack.ts");
  expect(applied.stdout).toContain("= imported net");
  expect(await recordsOf(box)).toMatchObject([{ name: "net", providerId: record?.["providerId"] }]);
  expect((await box.run("plan", "-c", "stack.ts", "--detailed-exitcode")).code).toBe(0);
  expect(readFileSync(box.path("stack.ts"), "utf8")).toContain("stack.import(");
});

test("an import by hand is a run of one action, which compensate forgets again", async () => {
  const box = await forgotten();
  const [a] = box.cloud.objects().map((object) => object.id);
  const imported = await box.run("import", "net", String(a), "--json");
  expect(JSON.parse(imported.stdout)).toMatchObject({ command: "import", details: { name: "net", id: a } });
  const [record] = await recordsOf(box);
  const status = await box.run("status");
  expect(status.stdout).toMatch(/import of 1 action .*succeeded/);
  const undone = await box.run("compensate", String(record?.["run"]));
  expect(undone.code).toBe(0);
  expect(await recordsOf(box)).toEqual([]);
  expect(box.cloud.objects()).toHaveLength(2);
});
