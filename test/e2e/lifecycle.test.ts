import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { lifecycle } from "@wfctl/contract";
import { fromJson } from "@bufbuild/protobuf";
import { expect, test } from "vitest";
import { createSandbox } from "./lib/sandbox.ts";

const three = `
  - {name: net, type: infra.test, config: {value: hello}}
  - {name: db, type: infra.test, config: {value: "\${net.endpoint}", password: hunter2-hunter2}}
  - {name: api, type: infra.test, config: {value: v1, parents: ["\${net.id}", "\${db.id}"]}}
`;

test("plan shows what apply does, apply does it, plan finds nothing more, destroy takes it all away", async () => {
  const box = createSandbox();
  box.write(three, { extra: "outputs: {endpoint: '${api.endpoint}'}" });

  const planned = await box.run("plan");
  expect(planned.stdout).toContain("Plan: 3 to create.");
  expect(planned.code).toBe(0);
  expect(existsSync(box.path(".wfctl"))).toBe(false);
  expect(box.cloud.objects()).toEqual([]);

  const applied = await box.run("apply", "-y");
  expect(applied.stdout).toContain("3 created");
  expect(applied.stdout).toMatch(/endpoint: "https:\/\/api\./);
  expect(applied.stderr).toContain("A new key seals the secrets");
  expect(applied.code).toBe(0);
  expect(box.cloud.objects().map((object) => object.name)).toEqual(["net", "db", "api"]);

  const again = await box.run("apply", "-y");
  expect(again).toMatchObject({ code: 0, stderr: "" });
  expect(again.stdout).toContain("No changes. 3 unchanged.");

  const destroyed = await box.run("destroy", "-y");
  expect(destroyed.stdout).toContain("3 deleted");
  expect(destroyed.code).toBe(0);
  expect(box.cloud.objects()).toEqual([]);
});

test("one changed value is one updated resource, shown before and after", async () => {
  const box = createSandbox();
  box.write(three);
  await box.run("apply", "-y");
  box.write(three.replace("value: v1", "value: v2"));

  const planned = await box.run("plan", "--detailed-exitcode");
  expect(planned.stdout).toContain('value: "v1" → "v2"');
  expect(planned.stdout).toContain("Plan: 1 to update, 2 unchanged.");
  expect(planned.code).toBe(2);

  expect((await box.run("apply", "-y")).stdout).toContain("1 updated, 2 unchanged");
  expect(
    box.cloud
      .effects()
      .filter((effect) => effect.kind === "updated")
      .map((effect) => effect.name),
  ).toEqual(["api"]);
  expect((await box.run("plan", "--detailed-exitcode")).code).toBe(0);
});

test("commands and flags of upstream do the same under wfctl infra", async () => {
  const box = createSandbox();
  box.write(three);
  const applied = await box.run("infra", "apply", "-auto-approve", "-config", "infra.yaml");
  expect(applied.code).toBe(0);
  expect((await box.run("infra", "state", "list")).stdout).toContain("api");
  expect((await box.run("infra", "destroy", "-y", "infra.yaml")).code).toBe(0);
});

test("apply --json prints events and ends with one result that holds every outcome", async () => {
  const box = createSandbox();
  box.write(three);
  const { stdout, code } = await box.run("apply", "-y", "--json");
  expect(code).toBe(0);
  const lines = stdout
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line) as Record<string, never>);
  const result = lines.pop() as never as {
    schema: string;
    end: string;
    result: Record<string, never>;
    outcomes: { status: string }[];
  };
  expect(lines.map((line) => line["event"])).toEqual(
    expect.arrayContaining(["plan", "run-started", "action-done", "run-closed"]),
  );
  expect(result).toMatchObject({ schema: "wfctl/apply/1", end: "succeeded" });
  expect(result.outcomes.map((outcome) => outcome.status)).toEqual(["SUCCESS", "SUCCESS", "SUCCESS"]);
  expect(fromJson(lifecycle.ApplyResultSchema, result.result).actions).toHaveLength(3);
});

test("plan, status, outputs and state list leave every byte of the state as it is", async () => {
  const box = createSandbox();
  box.write(three);
  await box.run("apply", "-y");
  const file = box.path(".wfctl/state/shop.default.db");
  const before = readFileSync(file);
  for (const command of [
    ["plan"],
    ["plan", "--refresh"],
    ["status"],
    ["status", "--live"],
    ["outputs"],
    ["state", "list"],
    ["state", "doctor"],
  ]) {
    expect((await box.run(...command)).code, command.join(" ")).toBe(0);
  }
  expect(readFileSync(file).equals(before)).toBe(true);
});

test("a secret is in clear nowhere: not in the state, not in a saved plan, not on a screen", async () => {
  const box = createSandbox();
  box.write(three.replace("hunter2-hunter2", '"${DB_PASSWORD}"'));
  const env = { DB_PASSWORD: "correct horse battery staple" };
  const said: string[] = [];
  for (const args of [
    ["plan", "-o", "plan.json"],
    ["apply", "--plan", "plan.json", "--json"],
    ["plan", "--json"],
    ["status", "--json"],
    ["state", "show", "db"],
    ["state", "list", "--json"],
    ["outputs", "--all"],
  ]) {
    const { code, stdout, stderr } = await box.runWith(env, ...args, ...(args[0] === "apply" ? ["-y"] : []));
    expect(code, args.join(" ") + stderr).toBe(0);
    said.push(stdout, stderr);
  }
  expect(box.cloud.objects().find((object) => object.name === "db")?.inputs["password"]).toBe(env.DB_PASSWORD);
  expect(said.join("\n")).not.toContain(env.DB_PASSWORD);
  expect(box.everything()).toContain("wfctl/saved-plan/1");
  expect(box.everything()).not.toContain(env.DB_PASSWORD);
  expect((await box.run("state", "show", "db", "-S")).stdout).toContain(env.DB_PASSWORD);
});

test("a protected resource is not deleted, whoever asks, unless it is named", async () => {
  const box = createSandbox();
  box.write("  - {name: db, type: infra.test, protected: true, config: {value: x}}");
  await box.run("apply", "-y");
  const refused = await box.run("destroy", "-y");
  expect(refused.code).toBe(1);
  expect(refused.stderr).toContain("PROTECTED");
  box.write("");
  expect((await box.run("apply", "-y")).code).toBe(1);
  expect(box.cloud.objects()).toHaveLength(1);
  expect((await box.run("destroy", "-y", "--allow-replace", "db")).code).toBe(0);
  expect(box.cloud.objects()).toEqual([]);
});

test("resources are deleted through the recorded provider after its module is gone from the file", async () => {
  const box = createSandbox();
  box.write("  - {name: db, type: infra.test, config: {value: x}}");
  await box.run("apply", "-y");
  writeFileSync(box.path("infra.yaml"), "name: shop\nmodules: []\n");
  const applied = await box.run("apply", "-y");
  expect(applied.stdout).toContain("1 deleted");
  expect(box.cloud.objects()).toEqual([]);
});
