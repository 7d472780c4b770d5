import { mkdirSync, writeFileSync } from "node:fs";
import { writeFaults } from "@wfctl/testkit";
import { expect, test } from "vitest";
import { createSandbox } from "./lib/sandbox.ts";

const one = "  - {name: db, type: infra.test, config: {value: x}}";

test("everything that is wrong with a stack file is told at once, with its place", async () => {
  const box = createSandbox();
  box.write(
    `  - {name: db, type: infra.test, config: {value: "\${nope.id}", parents: ["\${NOT_SET_ANYWHERE}"]}, dependsOn: [nobody]}`,
  );
  const { code, stderr } = await box.run("plan");
  expect(code).toBe(1);
  expect(stderr).toMatch(/infra\.yaml:\d+:\d+: .*nope/);
  expect(stderr).toMatch(/infra\.yaml:\d+:\d+: .*NOT_SET_ANYWHERE/);
  expect(stderr).toMatch(/infra\.yaml:\d+:\d+: .*nobody/);
  const json = JSON.parse((await box.run("plan", "--json")).stdout) as { schema: string; diagnostics: unknown[] };
  expect(json.schema).toBe("wfctl/error/1");
  expect(json.diagnostics.length).toBeGreaterThanOrEqual(3);
});

test("a key that the type does not have is an error of the plan, with its place and a suggestion", async () => {
  const box = createSandbox();
  box.write("  - {name: db, type: infra.test, config: {valeu: x}}");
  const { code, stdout } = await box.run("plan");
  expect(code).toBe(1);
  expect(stdout).toMatch(/infra\.yaml:\d+:\d+: The key "valeu" is not known/);
  expect(stdout).toContain('Did you mean "value"?');
  expect(stdout).toContain("It cannot run");
});

test("a type that the provider does not have is an error of the plan, before anything is made", async () => {
  const box = createSandbox();
  box.write(`${one}\n  - {name: other, type: infra.tset, config: {}}`);
  const planned = await box.run("plan");
  expect(planned.code).toBe(1);
  expect(planned.stdout).toMatch(/infra\.yaml:\d+:\d+: The provider "\w+" has no resource type "infra.tset"/);
  expect(planned.stdout).toContain('Did you mean "infra.test"?');
  expect((await box.run("apply", "-y")).code).toBe(1);
  expect(box.cloud.objects()).toEqual([]);
});

test("without a terminal and without a yes nothing is changed", async () => {
  const box = createSandbox();
  box.write(one);
  const { code, stdout, stderr } = await box.run("apply");
  expect(code).toBe(1);
  expect(stdout).toContain("Plan: 1 to create.");
  expect(stderr).toContain("CONFIRMATION_REQUIRED");
  expect(box.cloud.objects()).toEqual([]);
});

test("a command line that is wrong is refused before anything is read", async () => {
  const box = createSandbox();
  for (const [args, text] of [
    [["aply"], 'Did you mean "wfctl apply"?'],
    [["-e", "prod", "plan"], '"-e" stands where the name of a command is expected'],
    [["state"], "Known are"],
    [["align"], "is a command of upstream that is not served"],
    [["apply", "--owner", "me"], "--owner is a flag of upstream that is not served"],
    [["plan", "--evn", "prod"], "Did you mean --env?"],
  ] as const) {
    const { code, stderr } = await box.run(...args);
    expect(code).toBe(1);
    expect(stderr).toContain(text);
    expect(stderr).toContain("USAGE");
  }
  expect((await box.run("plan")).stderr).toContain("CONFIG_NOT_FOUND");
});

test("other credentials than the recorded ones are refused, and both accounts are told", async () => {
  const box = createSandbox();
  box.write(one, { account: "first" });
  await box.run("apply", "-y");
  box.write(one, { account: "second" });
  for (const command of [["plan"], ["apply", "-y"], ["destroy", "-y"]]) {
    const { code, stderr } = await box.run(...command);
    expect(code).toBe(1);
    expect(stderr).toContain("OTHER_ACCOUNT");
    expect(stderr).toContain("cloud:first");
    expect(stderr).toContain("cloud:second");
  }
  expect(box.cloud.objects()).toHaveLength(1);
});

test("a provider that no plugin serves, and a plugin that is not v2, are refused by name", async () => {
  const box = createSandbox();
  box.write(one, { provider: "claud" });
  expect((await box.run("plan")).stderr).toContain("PLUGIN_NOT_FOUND");
  mkdirSync(box.path("plugins/old"), { recursive: true });
  writeFileSync(
    box.path("plugins/old/plugin.json"),
    JSON.stringify({
      name: "workflow-plugin-claud",
      version: "1.0.0",
      author: "a",
      description: "d",
      iacProvider: { computePlanVersion: "v1" },
      capabilities: { iacProvider: { name: "claud" } },
    }),
  );
  const { code, stderr } = await box.run("plan", "--plugin-dir", "plugins");
  expect(code).toBe(1);
  expect(stderr).toMatch(/PLUGIN_(VERSION|MANIFEST)/);
});

test("a failed action leaves the others alone, is told with its cause, and is repaired by the next run", async () => {
  const box = createSandbox();
  box.write(`
  - {name: a, type: infra.test, config: {value: one}}
  - {name: b, type: infra.test, config: {value: "\${a.endpoint}"}}
  - {name: c, type: infra.test, config: {value: three}}
`);
  writeFaults(box.root, [{ operation: "create", name: "a", nth: 1, error: "forbidden", message: "no rights" }]);
  const failed = await box.run("apply", "-y");
  expect(failed.code).toBe(1);
  expect(failed.stdout).toContain("FORBIDDEN");
  expect(failed.stdout).toContain("no rights");
  expect(failed.stdout).toMatch(/SKIPPED +DEPENDENCY_FAILED +create +b/);
  expect(failed.stdout).toContain("1 created, 1 failed, 1 skipped");
  expect(box.cloud.objects().map((object) => object.name)).toEqual(["c"]);
  expect((await box.run("apply", "-y")).stdout).toContain("2 created, 1 unchanged");
});

test("under --on-failure stop nothing new starts after a failure", async () => {
  const box = createSandbox();
  box.write(`
  - {name: a, type: infra.test, config: {value: one}}
  - {name: b, type: infra.test, config: {value: two}, dependsOn: [c]}
  - {name: c, type: infra.test, config: {value: three}}
`);
  writeFaults(box.root, [
    { operation: "create", name: "a", nth: 1, error: "validation" },
    { operation: "create", name: "c", delayMs: 2000 },
  ]);
  const failed = await box.run("apply", "-y", "--on-failure", "stop");
  expect(failed.code).toBe(1);
  expect(failed.stdout).toMatch(/SKIPPED +RUN_STOPPED +create +b/);
});

test.runIf(process.platform === "linux")("folders in which nothing can be made end no command late", async () => {
  const nowhere = "/proc/self/fd";
  const box = createSandbox();
  box.write(`
  - {name: a, type: infra.test, config: {value: one}}
`);
  const unkept = await box.runWith({ XDG_CONFIG_HOME: nowhere }, "apply", "-y");
  expect(unkept.code).toBe(1);
  expect(unkept.stderr).toContain("Making the key file '/proc/self/fd/wfctl/keys/");
  expect((await box.runWith({ XDG_CACHE_HOME: nowhere, TMPDIR: nowhere }, "apply", "-y")).code).toBe(0);
});

test("help is there for every command, in every form", async () => {
  const box = createSandbox();
  for (const args of [
    ["help"],
    ["--help"],
    [],
    ["help", "plan"],
    ["plan", "-h"],
    ["infra", "state", "resolve", "--help"],
    ["help", "state"],
    ["state", "--help"],
  ]) {
    const { code, stdout } = await box.run(...args);
    expect(code).toBe(0);
    expect(stdout).toContain("wfctl");
  }
  expect((await box.run("version")).stdout).toMatch(/^wfctl \d+\.\d+\.\d+\nengine compatibility \d/);
});
