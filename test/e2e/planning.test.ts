import { expect, test } from "vitest";
import { createSandbox, type Sandbox } from "./lib/sandbox.ts";

const net = "  - {name: net, type: infra.test, config: {iac_provider: cloud, value: hello}}\n";
const db = '  - {name: db, type: infra.test, config: {iac_provider: cloud, value: "${net.endpoint}"}}\n';
const names = (box: Sandbox): string[] =>
  box.cloud
    .objects()
    .map((object) => object.name)
    .toSorted();

test("what is not known yet is listed with its reason in every form, and settled by apply", async () => {
  const box = createSandbox();
  box.write(net + db);
  const planned = await box.run("plan", "-o", "plan.json");
  const line = 'deferred: value waits for net.endpoint: "net" is created in this run';
  expect(planned.stdout).toContain(`      ${line}\n`);
  expect(planned.stdout).toContain("1 value is known only in the run, which settles it.\nPlan: 2 to create.");
  const { actions } = JSON.parse((await box.run("plan", "--json")).stdout) as { actions: object[] };
  expect(actions[1]).toMatchObject({
    name: "db",
    deferred: [{ path: "value", waitsFor: "net.endpoint", why: '"net" is created in this run' }],
  });
  expect((await box.run("show", "plan.json", "--format", "markdown")).stdout).toContain(`\n${line}\n`);
  expect((await box.run("apply", "--plan", "plan.json")).code).toBe(0);
  expect((await box.run("plan", "--detailed-exitcode")).code).toBe(0);
});

test("--exclude takes along what cannot go without it, in a saved plan too, and --include says what is missing", async () => {
  const box = createSandbox();
  box.write(`${net}${db}  - {name: x, type: infra.test}\n`);
  const alone = await box.run("plan", "--include", "db");
  expect(alone.code).toBe(1);
  expect(alone.stdout).toMatch(
    /Error infra\.yaml:\d+:\d+: Cannot plan "db" alone: it needs "net", which does not exist/,
  );
  expect(alone.stdout).toContain("Include what it needs: --include db,net");

  const planned = await box.run("plan", "--exclude", "net", "-o", "plan.json");
  expect(planned.stdout).toContain('Note: "db" is left out as well: it needs "net", which does not exist');
  expect(planned.stdout).toContain("Plan: 1 to create.");
  expect((await box.run("apply", "--plan", "plan.json")).code).toBe(0);
  expect(names(box)).toEqual(["x"]);
  await box.run("apply", "-y");
  const destroyed = await box.run("destroy", "-y", "--exclude", "db");
  expect(destroyed.stdout).toContain('"net" is left out as well');
  expect(names(box)).toEqual(["db", "net"]);
  expect((await box.run("plan", "--exclude", "dbb")).stderr).toContain('--exclude names "dbb"');
});

test("objects of a provider module that is gone are deleted with the configuration that the state keeps", async () => {
  const box = createSandbox();
  const other = `  - {name: other, type: iac.provider, config: {provider: cloud, root: "${box.root}", account: second, token: hush-hush}}\n`;
  box.write(`${other}${net}  - {name: far, type: infra.test, config: {iac_provider: other}}\n`);
  expect((await box.run("apply", "-y")).code).toBe(0);
  expect(names(box)).toEqual(["far", "net"]);
  box.write(net);
  const planned = await box.run("plan");
  expect(planned.stdout).toContain("- delete far (infra.test)");
  expect(planned.stdout).toContain('Note: Provider module "other" is not in the stack file any more');
  expect((await box.run("apply", "-y")).stdout).not.toContain("hush-hush");
  expect(names(box)).toEqual(["net"]);
  expect((await box.run("plan")).stdout).not.toContain("other");
});

test("environments share neither records nor objects, and a rename is recognised with its references resolved", async () => {
  const box = createSandbox();
  const extra = "environments: {dev: {}, prod: {}}\n";
  box.write(net + db, { extra });
  await box.run("apply", "-y", "-e", "dev");
  expect((await box.run("plan", "-e", "prod")).stdout).toContain("Plan: 2 to create.");
  await box.run("apply", "-y", "-e", "prod");
  expect(names(box)).toEqual(["db", "db", "net", "net"]);
  expect((await box.run("destroy", "-y", "-e", "prod")).code).toBe(0);
  expect(names(box)).toEqual(["db", "net"]);
  expect((await box.run("plan", "-e", "dev", "--refresh", "--detailed-exitcode")).code).toBe(0);

  box.write(net + db.replace("name: db", "name: database"), { extra });
  expect((await box.run("plan", "-e", "dev")).stdout).toContain("moved: [{from: db, to: database}]");
});
