import { cpSync, readFileSync, statSync, utimesSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { beforeAll, expect, test } from "vitest";
import { buildPlugin } from "../../bench/build-plugin.ts";
import { createSandbox, type Sandbox } from "./lib/sandbox.ts";

let built = "";
beforeAll(async () => {
  built = await buildPlugin(fileURLToPath(new URL("../..", import.meta.url)));
});

const stack = `
  - {name: a, type: infra.test, config: {value: one}}
  - {name: b, type: infra.test, config: {value: "\${a.id}"}}
`;

/** A sandbox with a bundled plugin of its own. */
function withOwnPlugin(): { box: Sandbox; env: Record<string, string>; launcher: string } {
  const box = createSandbox();
  cpSync(built, box.path("plugins"), { recursive: true });
  // A whole second: what `breakUnseen` can put back exactly.
  utimesSync(box.path("plugins/cloud/cloud"), 1_700_000_000, 1_700_000_000);
  box.write(stack);
  const env = {
    WFCTL_PLUGIN_DIR: box.path("plugins"),
    XDG_CACHE_HOME: box.path("cache"),
    WFCTL_NODE: process.execPath,
  };
  return { box, env, launcher: box.path("plugins/cloud/cloud") };
}

/** Makes the plugin unable to start, in a way that its files do not show. */
function breakUnseen(launcher: string): void {
  const { size } = statSync(launcher);
  writeFileSync(launcher, "#!/bin/sh\nexit 7\n".padEnd(size, "#"));
  utimesSync(launcher, 1_700_000_000, 1_700_000_000);
}

test("a plan of an unchanged stack starts no plugin", async () => {
  const { box, env, launcher } = withOwnPlugin();
  expect((await box.runWith(env, "apply", "-y")).code).toBe(0);
  breakUnseen(launcher);
  const plan = await box.runWith(env, "plan");
  expect(plan.stderr).toBe("");
  expect(plan.code).toBe(0);
  expect(plan.stdout).toContain("No changes");
});

test("a plan that has to compare, or is told to read, starts the plugin after all", async () => {
  const { box, env, launcher } = withOwnPlugin();
  await box.runWith(env, "apply", "-y");
  box.write(stack.replace("one", "two"));
  const changed = await box.runWith(env, "plan");
  expect(changed.code).toBe(0);
  expect(changed.stdout).toContain("1 to update");
  breakUnseen(launcher);
  const refresh = await box.runWith(env, "plan", "--refresh");
  expect(refresh.code).toBe(1);
});

test("a plugin that was replaced is asked again", async () => {
  const { box, env, launcher } = withOwnPlugin();
  await box.runWith(env, "apply", "-y");
  writeFileSync(launcher, `${readFileSync(launcher, "utf8")}\nexit 7\n`.replace("#!/bin/sh", "#!/bin/sh\nexit 7"));
  const plan = await box.runWith(env, "plan");
  expect(plan.code).toBe(1);
  expect(plan.stderr).toContain("PLUGIN_START");
});

test("a configuration for another account is noticed although nothing else changed", async () => {
  const { box, env } = withOwnPlugin();
  await box.runWith(env, "apply", "-y");
  const file = box.path("infra.yaml");
  writeFileSync(file, readFileSync(file, "utf8").replace("provider: cloud,", "provider: cloud, account: other,"));
  const plan = await box.runWith(env, "plan");
  expect(plan.code).toBe(1);
  expect(plan.stderr).toContain("OTHER_ACCOUNT");
});
