import { cpSync, readFileSync, rmSync, statSync, utimesSync, writeFileSync } from "node:fs";
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

interface OwnPlugin {
  readonly box: Sandbox;
  readonly env: Record<string, string>;
  readonly launcher: string;
  /** How often the plugin was started. */
  starts(): number;
}

/** A sandbox with a bundled plugin of its own, which notes its starts. */
function withOwnPlugin(): OwnPlugin {
  const box = createSandbox();
  cpSync(built, box.path("plugins"), { recursive: true });
  const launcher = box.path("plugins/cloud/cloud");
  const noting = `#!/bin/sh\necho started >> "${box.path("starts")}"\n`;
  writeFileSync(launcher, readFileSync(launcher, "utf8").replace("#!/bin/sh\n", noting));
  box.write(stack);
  const env = {
    WFCTL_PLUGIN_DIR: box.path("plugins"),
    XDG_CACHE_HOME: box.path("cache"),
    WFCTL_NODE: process.execPath,
  };
  return { box, env, launcher, starts: () => readFileSync(box.path("starts"), "utf8").split("\n").length - 1 };
}

test("a plan of an unchanged stack starts no plugin", async () => {
  const { box, env, starts } = withOwnPlugin();
  expect((await box.runWith(env, "apply", "-y")).code).toBe(0);
  const before = starts();
  const plan = await box.runWith(env, "plan");
  expect(plan.stderr).toBe("");
  expect(plan.code).toBe(0);
  expect(plan.stdout).toContain("No changes");
  expect(starts()).toBe(before);
});

test("a plan that has to compare, or is told to read, starts the plugin after all", async () => {
  const { box, env, starts } = withOwnPlugin();
  await box.runWith(env, "apply", "-y");
  box.write(stack.replace("one", "two"));
  const changed = await box.runWith(env, "plan");
  expect(changed.code).toBe(0);
  expect(changed.stdout).toContain("1 to update");
  const before = starts();
  expect((await box.runWith(env, "plan", "--refresh")).code).toBe(0);
  expect(starts()).toBe(before + 1);
});

test("what is remembered of a locked plugin counts only while the lock file accepts the plugin", async () => {
  const { box, env, launcher, starts } = withOwnPlugin();
  expect(await box.runWith(env, "plugin", "verify", "--accept", "cloud")).toMatchObject({ code: 0 });
  expect((await box.runWith(env, "apply", "-y")).code).toBe(0);
  const before = starts();
  expect(await box.runWith(env, "plan")).toMatchObject({ code: 0, stderr: "" });
  const refused = async (): Promise<void> => {
    expect(await box.runWith(env, "plan")).toMatchObject({
      code: 1,
      stderr: expect.stringContaining("PLUGIN_LOCK") as string,
    });
  };

  const locked = readFileSync(box.path("wfctl.lock"), "utf8");
  writeFileSync(
    box.path("wfctl.lock"),
    locked.replace(/sha256:./, (start) => start.replace(/.$/, start.endsWith("0") ? "1" : "0")),
  );
  await refused();
  writeFileSync(box.path("wfctl.lock"), "{");
  await refused();
  writeFileSync(box.path("wfctl.lock"), locked);
  expect((await box.runWith(env, "plan")).code).toBe(0);
  writeFileSync(box.path(".wfctl.yaml"), `plugins: { cloud: { sha256: "${"0".repeat(64)}" } }\n`);
  await refused();
  rmSync(box.path(".wfctl.yaml"));

  // As long as before, and of the same time.
  const { atime, mtime } = statSync(launcher);
  const text = readFileSync(launcher, "utf8");
  writeFileSync(launcher, text.replace("echo started", "echo Started"));
  utimesSync(launcher, atime, mtime);
  await refused();
  expect(starts()).toBe(before);
});

test("a plugin that the lock file refuses is not started to ask for its schema either", async () => {
  const { box, env, launcher, starts } = withOwnPlugin();
  await box.runWith(env, "plugin", "verify", "--accept", "cloud");
  expect((await box.runWith(env, "schema")).code).toBe(0);
  const before = starts();
  writeFileSync(launcher, `${readFileSync(launcher, "utf8")}# changed\n`);
  expect((await box.runWith(env, "schema")).stderr).toContain("PLUGIN_LOCK");
  expect(starts()).toBe(before);
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
