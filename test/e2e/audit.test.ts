import { appendFileSync } from "node:fs";
import { expect, test } from "vitest";
import { createSandbox } from "./lib/sandbox.ts";

const secret = "correct-horse-battery";

test("audit-secrets finds nothing in a state whose secrets are sealed, and a value that stands in clear beside it", async () => {
  const box = createSandbox();
  box.write(`  - {name: db, type: infra.test, config: {value: x, password: ${secret}}}`);
  expect((await box.run("apply", "-y")).code).toBe(0);
  const clean = await box.run("state", "audit-secrets");
  expect(clean.stderr).toBe("");
  expect(clean).toMatchObject({ code: 0 });
  expect(clean.stdout).toContain("No secret stands in clear");

  appendFileSync(box.path(".wfctl/state/shop.default.db.copy"), `{"password":"${secret}"}`);
  const found = await box.run("state", "audit-secrets", "--json");
  expect(found.code).toBe(1);
  expect(found.stdout).toContain("stands in clear");
  expect(found.stdout).not.toContain(secret);
});
