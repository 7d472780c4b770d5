import { readFileSync, writeFileSync } from "node:fs";
import { expect, test } from "vitest";
import { createSandbox } from "./lib/sandbox.ts";

const stack = (value: string): string => `
  - {name: db, type: infra.test, config: {value: ${value}, password: hunter2-hunter2}}
  - {name: api, type: infra.test, config: {value: "\${db.endpoint}"}}
`;

test("a saved plan of a new stack runs as it was saved", async () => {
  const box = createSandbox();
  box.write(stack("x"));
  expect((await box.run("plan", "-o", "plan.json")).code).toBe(0);
  const saved = JSON.parse(readFileSync(box.path("plan.json"), "utf8")) as { plan: { id: string } };
  expect(readFileSync(box.path("plan.json"), "utf8")).not.toContain("hunter2-hunter2");
  const applied = await box.run("apply", "--plan", "plan.json");
  expect(applied.code).toBe(0);
  expect(applied.stdout).toContain("2 created");
  expect(JSON.stringify(saved)).toContain("db");
});

test("a comment in the stack file, or another folder to run from, does not make a plan stale", async () => {
  const box = createSandbox();
  box.write(stack("x"));
  await box.run("plan", "-o", "plan.json");
  box.write(stack("x"), { extra: "# a comment\n\n" });
  expect((await box.run("apply", "--plan", "plan.json")).code).toBe(0);
});

test("a saved plan is refused with exit 4 once the configuration, the state or a variable is another one, and says which", async () => {
  const box = createSandbox();
  box.write(stack("x"));
  await box.run("plan", "-o", "plan.json");
  box.write(stack("y"));
  const changed = await box.run("apply", "--plan", "plan.json");
  expect(changed.code).toBe(4);
  expect(changed.stderr).toContain("the configuration changed");
  expect(changed.stderr).toContain('the create of "db" is another one now');
  expect(box.cloud.objects()).toEqual([]);

  await box.run("apply", "-y");
  const applied = await box.run("apply", "--plan", "plan.json");
  expect(applied.code).toBe(4);

  box.write(stack('"${VALUE}"'));
  expect((await box.runWith({ VALUE: "z" }, "plan", "-o", "plan.json")).code).toBe(0);
  const other = await box.runWith({ VALUE: "another" }, "apply", "--plan", "plan.json");
  expect(other.code).toBe(4);
  expect(other.stderr).toContain("the variable VALUE has another value");
});

test("a plan file that was touched, or is none, is refused", async () => {
  const box = createSandbox();
  box.write(stack("x"));
  await box.run("plan", "-o", "plan.json");
  const text = readFileSync(box.path("plan.json"), "utf8");
  writeFileSync(box.path("touched.json"), text.replace('"allowReplace": []', '"allowReplace": ["db"]'));
  expect((await box.run("apply", "--plan", "touched.json")).stderr).toContain("PLAN_INVALID");
  writeFileSync(box.path("other.json"), "{}");
  expect((await box.run("apply", "--plan", "other.json")).stderr).toContain("PLAN_INVALID");
  expect((await box.run("apply", "--plan", "missing.json")).stderr).toContain("PLAN_INVALID");
  expect(box.cloud.objects()).toEqual([]);
});

test("a saved plan knows its environment", async () => {
  const box = createSandbox();
  box.write(stack("x"), { extra: "environments: {staging: {}, prod: {}}" });
  expect((await box.run("plan")).stderr).toContain("ENVIRONMENT_UNKNOWN");
  expect((await box.run("plan", "-e", "prdo")).stderr).toContain("prod");
  await box.run("plan", "-e", "prod", "-o", "plan.json");
  expect((await box.run("apply", "-e", "staging", "--plan", "plan.json")).stderr).toContain('it is for "prod"');
  expect((await box.run("apply", "--plan", "plan.json")).code).toBe(0);
  expect((await box.run("status", "-e", "prod")).stdout).toContain("2 resources");
  expect((await box.run("status", "-e", "staging")).stdout).toContain("There is no state yet");
});

test("--include acts on what it names, and a name that nothing has is an error", async () => {
  const box = createSandbox();
  box.write(stack("x"));
  expect((await box.run("plan", "--include", "dbb")).stderr).toContain('Did you mean "db"');
  expect((await box.run("apply", "-y", "--include", "db")).code).toBe(0);
  expect(box.cloud.objects().map((object) => object.name)).toEqual(["db"]);
});
