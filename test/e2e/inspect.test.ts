import { readFileSync, writeFileSync } from "node:fs";
import { expect, test } from "vitest";
import { createSandbox, type Sandbox } from "./lib/sandbox.ts";

const two = `
  - {name: net, type: infra.test, config: {value: hello}}
  - {name: db, type: infra.test, config: {value: "\${net.endpoint}", password: hunter2-hunter2}}
`;

/** The cloud's own object of a name, to change it behind the back of the stack. */
function objectOf(box: Sandbox, name: string) {
  const object = box.cloud.objects().find((candidate) => candidate.name === name);
  if (object === undefined) throw new Error(`there is no object ${name}`);
  return object;
}

function change(box: Sandbox, name: string, inputs: Record<string, string>): void {
  const object = objectOf(box, name);
  box.cloud.update(object.account, object.id, { ...object.inputs, ...inputs });
}

async function recordOf(box: Sandbox, name: string): Promise<Record<string, unknown> | undefined> {
  const { stdout } = await box.run("state", "list", "--json");
  const { records } = JSON.parse(stdout) as { records: Record<string, unknown>[] };
  return records.find((record) => record["name"] === name);
}

test("drift tells the three sides of what somebody changed, and what is gone; apply --refresh repairs both", async () => {
  const box = createSandbox();
  box.write(two);
  await box.run("apply", "-y");
  const quiet = await box.run("drift");
  expect(quiet).toMatchObject({ code: 0, stdout: "No drift, 2 in sync.\n", stderr: "" });
  const serial = (await box.run("state", "list", "--json")).stdout;

  change(box, "net", { value: "by hand" });
  box.cloud.delete(objectOf(box, "db").account, objectOf(box, "db").id);
  const found = await box.run("drift");
  expect(found.code).toBe(2);
  expect(found.stdout).toContain('value: wanted "hello", recorded "hello", actual "by hand"');
  expect(found.stdout).toMatch(/db \(infra\.test\)\n {6}is gone from the cloud/);
  expect(found.stdout).toContain("2 resources have drifted, 0 in sync.");
  const json = JSON.parse((await box.run("drift", "--json", "--include", "net")).stdout) as { resources: object[] };
  expect(json).toMatchObject({ schema: "wfctl/drift/1", drifted: true, exitCode: 2 });
  expect(json.resources).toHaveLength(1);
  expect(json.resources[0]).toMatchObject({
    class: "config",
    changes: expect.arrayContaining([
      { path: "value", desired: "hello", recorded: "hello", actual: "by hand" },
    ]) as unknown,
  });
  expect((await box.run("state", "list", "--json")).stdout).toBe(serial);

  expect((await box.run("apply", "-y", "--refresh")).code).toBe(0);
  expect((await box.run("drift")).code).toBe(0);
});

test("drift tells what the stack file wants where that comes from variables, environments and outputs", async () => {
  const box = createSandbox();
  box.write(
    `
  - {name: net, type: infra.test, config: {value: "\${var.tag}-\${var.where}"}}
  - name: db
    type: infra.test
    config: {value: "\${net.endpoint}", region: "\${REGION}", settings: {of: base, sum: "\${{ net.revision + 1 }}"}}
    environments: {prod: {config: {settings: {of: overlay}}}}
`,
    { extra: "variables: {tag: {type: string}, where: here}\nenvironments: {prod: {variables: {where: there}}}\n" },
  );
  const env = { WFCTL_VAR_tag: "v1", REGION: "eu-secret-region" };
  expect((await box.runWith(env, "apply", "-y", "-e", "prod")).code).toBe(0);
  change(box, "net", { value: "by hand" });
  const object = objectOf(box, "db");
  box.cloud.update(object.account, object.id, { value: "x", region: "us", settings: { of: "?", sum: 0 } });
  const { stdout, code } = await box.runWith(env, "drift", "-e", "prod");
  expect(code).toBe(2);
  expect(stdout).toContain('value: wanted "v1-there", recorded "v1-there", actual "by hand"');
  expect(stdout).toMatch(/value: wanted "https:\/\/net\.[^"]+", recorded "https:\/\/net\.[^"]+", actual "x"/);
  expect(stdout).toContain('settings.of: wanted "overlay", recorded "overlay", actual "?"');
  expect(stdout).toContain("settings.sum: wanted 2, recorded 2, actual 0");
  // What an environment variable holds may be a secret.
  expect(stdout).toContain("region: another value (sensitive)");
  expect(stdout).not.toContain("eu-secret-region");
  // Without its value a variable is told as it is written.
  expect((await box.run("drift", "-e", "prod")).stdout).toContain('wanted "${var.tag}-there", recorded "v1-there"');
  const json = (await box.runWith(env, "drift", "-e", "prod", "--json")).stdout;
  expect(json).not.toContain("eu-secret-region");
  const { resources } = JSON.parse(json) as { resources: { name: string; changes: object[] }[] };
  expect(resources.find(({ name }) => name === "net")?.changes).toContainEqual({
    path: "value",
    desired: "v1-there",
    recorded: "v1-there",
    actual: "by hand",
  });
});

test("drift hides what is secret", async () => {
  const box = createSandbox();
  box.write(two);
  await box.run("apply", "-y");
  change(box, "db", { password: "swordfish-swordfish" });
  const found = await box.run("drift");
  expect(found.code).toBe(2);
  expect(found.stdout).toContain("password: another value (sensitive)");
  expect(found.stdout).not.toMatch(/swordfish|hunter2/);
});

test("a record gets another name, with what refers to it, and its resource goes on", async () => {
  const box = createSandbox();
  box.write(two);
  await box.run("apply", "-y");
  const before = await recordOf(box, "net");
  const moved = await box.run("state", "mv", "net", "network");
  expect(moved).toMatchObject({ code: 0 });
  expect(await recordOf(box, "network")).toMatchObject({ providerId: before?.["providerId"] });
  expect(await recordOf(box, "db")).toMatchObject({ dependencies: ["network"] });
  box.write(two.replaceAll("name: net", "name: network").replace("net.endpoint", "network.endpoint"));
  const planned = await box.run("plan");
  expect(planned.stdout).not.toContain("to create");
  expect(planned.stdout).not.toContain("to delete");

  const taken = await box.run("state", "mv", "db", "network");
  expect(taken.code).toBe(1);
  expect(taken.stderr).toContain('the state has "network" already');
  const wrong = await box.run("state", "mv", "dbb", "x");
  expect(wrong.stderr).toContain('Did you mean "db"?');
});

test("a forgotten record leaves its object, and import records it again under its id", async () => {
  const box = createSandbox();
  box.write(two);
  await box.run("apply", "-y");
  const id = String((await recordOf(box, "net"))?.["providerId"]);
  const removed = await box.run("state", "rm", "net");
  expect(removed.stdout).toContain(`stays in the cloud: ${id}`);
  expect(await recordOf(box, "net")).toBeUndefined();
  expect(box.cloud.objects().map((object) => object.name)).toContain("net");

  const missing = await box.run("import", "net", "no-such-id");
  expect(missing.code).toBe(1);
  expect(missing.stderr).toContain('there is no infra.test with id "no-such-id"');
  expect(await recordOf(box, "net")).toBeUndefined();
  const unknown = await box.run("import", "nett", id);
  expect(unknown.stderr).toContain('Did you mean "net"?');

  expect((await box.run("import", "net", id)).stdout).toContain(`"net" is recorded with id ${id}`);
  expect(await recordOf(box, "net")).toMatchObject({ providerId: id, mark: "imported" });
  const applied = await box.run("apply", "-y");
  expect(applied.code).toBe(0);
  expect(applied.stdout).not.toContain("created");
  expect(box.cloud.objects()).toHaveLength(2);
  const again = await box.run("import", "net", id);
  expect(again.stderr).toContain("the state has it already");
});

test("show prints a saved plan as plan has printed it, for people, programs and pull requests", async () => {
  const box = createSandbox();
  box.write(two);
  const planned = await box.run("plan", "-o", "plan.json");
  const shown = await box.run("show", "plan.json");
  expect(shown.code).toBe(0);
  expect(shown.stdout).toBe(planned.stdout);
  const json = JSON.parse((await box.run("show", "plan.json", "--json")).stdout) as { summary: object };
  const saved = JSON.parse(readFileSync(box.path("plan.json"), "utf8")) as { plan: object };
  expect(json).toEqual(saved.plan);
  const markdown = await box.run("show", "plan.json", "--format", "markdown");
  expect(markdown.stdout).toContain("| ");
  expect(markdown.stdout + shown.stdout).not.toContain("hunter2");

  writeFileSync(box.path("other.json"), "{}");
  const other = await box.run("show", "other.json");
  expect(other.code).toBe(1);
  expect(other.stderr).toContain("PLAN_INVALID");
});

test("apply --refresh-only accepts what the cloud has, and the next plan shows what the stack file wants", async () => {
  const box = createSandbox();
  box.write(two);
  await box.run("apply", "-y");
  change(box, "net", { value: "by hand" });
  box.cloud.delete(objectOf(box, "db").account, objectOf(box, "db").id);
  const effects = box.cloud.effects().length;
  const accepted = await box.run("apply", "--refresh-only", "-y");
  expect(accepted.code).toBe(0);
  expect(accepted.stdout).toContain("2 records are as the cloud is now.");
  expect(box.cloud.effects()).toHaveLength(effects);
  expect(await recordOf(box, "db")).toBeUndefined();
  expect((await box.run("drift")).code).toBe(0);
  const planned = await box.run("plan");
  expect(planned.stdout).toContain('value: "by hand" → "hello"');
  expect(planned.stdout).toContain("1 to create");
  expect((await box.run("apply", "--refresh-only", "--replace", "net", "-y")).stderr).toContain("exclude each other");
  expect((await box.run("apply", "-y")).code).toBe(0);
  expect((await box.run("apply", "--refresh-only", "-y")).stdout).toContain("The state is as the cloud is.");
});
