import { writeFaults } from "@wfctl/testkit";
import { expect, test } from "vitest";
import { createSandbox } from "./lib/sandbox.ts";

const two = `
  - {name: a, type: infra.test, config: {value: one}}
  - {name: b, type: infra.test, config: {value: "\${a.endpoint}"}}
`;

test("a run that fails under --on-failure compensate leaves nothing of what it created", async () => {
  const box = createSandbox();
  box.write(two);
  writeFaults(box.root, [{ operation: "create", name: "b", nth: 1, error: "validation", message: "no such value" }]);
  const planned = await box.run("plan", "--on-failure", "compensate");
  expect(planned.stdout).toContain("undo: delete it, confirmed by a read");
  const applied = await box.run("apply", "-y", "--on-failure", "compensate");
  expect(applied.code).toBe(1);
  expect(applied.stdout).toContain("no such value");
  expect(applied.stdout).toMatch(/COMPENSATED +.*create +a/);
  expect(box.cloud.objects()).toEqual([]);
  expect((await box.run("apply", "-y")).stdout).toContain("2 created");
});

test("a run that ended can be undone by hand", async () => {
  const box = createSandbox();
  box.write(two);
  await box.run("apply", "-y");
  box.write(two.replace("value: one", "value: changed"));
  await box.run("apply", "-y");
  expect(box.cloud.objects().find((object) => object.name === "a")?.inputs["value"]).toBe("changed");
  const undone = await box.run("compensate");
  expect(undone.code).toBe(0);
  expect(box.cloud.objects().find((object) => object.name === "a")?.inputs["value"]).toBe("one");
});
