import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { runCli } from "../src/cli.ts";
import { recordContext } from "./run-view.ts";

const told = /Plugin \\?"quiet\\?" has not answered yet: it has up to 60 s to print its handshake/;

let folder = "";
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "wfctl-waiting-"));
  await mkdir(join(folder, "plugins/quiet"), { recursive: true });
  const manifest = {
    name: "quiet",
    version: "1.0.0",
    author: "wfctl",
    description: "Prints nothing, and ends when it is let go",
    iacProvider: { computePlanVersion: "v2" },
    capabilities: { iacProvider: { name: "quiet" } },
  };
  await writeFile(join(folder, "plugins/quiet/plugin.json"), JSON.stringify(manifest));
  const program = `#!/bin/sh\nwhile [ -d "${folder}" ] && [ ! -e "${folder}/go" ]; do sleep 0.1; done\n`;
  await writeFile(join(folder, "plugins/quiet/quiet"), program, { mode: 0o755 });
  await writeFile(
    join(folder, "infra.yaml"),
    "modules:\n- {name: p, type: iac.provider, config: {provider: quiet}}\n- {name: net, type: infra.vpc}\n",
  );
});
afterEach(() => rm(folder, { recursive: true, force: true }));

function start(name: string, ...argv: string[]) {
  const recorded = recordContext({
    env: { PATH: process.env["PATH"], HOME: join(folder, name), WFCTL_PLUGIN_DIR: join(folder, "plugins") },
  });
  return { name, ...recorded, code: runCli(argv, { ...recorded.context, cwd: folder }) };
}

test("a plugin that says nothing is told of on standard error while it is waited for", async () => {
  const runs = [
    start("plan", "plan"),
    start("plan-json", "plan", "--json"),
    start("apply-json", "apply", "-y", "--json"),
    start("validate", "validate"),
  ];
  // All of them wait: none has ended when it is told.
  for (const { name, stderr } of runs) await expect.poll(stderr, { message: name }).toMatch(told);
  expect(runs.map(({ stdout }) => stdout()).join("")).not.toContain("not answered");
  await writeFile(join(folder, "go"), "");
  expect(await Promise.all(runs.map(({ code }) => code))).toEqual([1, 1, 1, 1]);
  for (const { name, stdout, stderr } of runs) {
    expect(stdout(), name).not.toContain("not answered");
    expect(stderr().split("has not answered"), name).toHaveLength(2);
  }
});
