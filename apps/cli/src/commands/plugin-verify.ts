import { dirname } from "node:path";
import { WfctlError } from "@wfctl/model";
import type { InstalledPlugin } from "@wfctl/plugin-host";
import { parsePluginVerify, pluginVerifySpec } from "../arguments/plugin.ts";
import { acceptPlugins, findInstalled, listInstalled } from "../plugins/change-plugins.ts";
import { acceptCommand, compareWithLock } from "../plugins/check-lock.ts";
import { readLockFile, type LockFile } from "../plugins/lock-file.ts";
import { checkPin } from "../plugins/pins.ts";
import { printResult } from "../views/plugins/print-result.ts";
import { exitCodes, type Command } from "./command.ts";

interface Finding {
  readonly plugin: string;
  readonly state: "accepted" | "changed" | "missing" | "absent" | "pinned" | "unlocked";
  readonly problem?: string;
  readonly changes?: readonly string[];
}

export const pluginVerifyCommand: Command = {
  spec: pluginVerifySpec,
  async run(argv, context) {
    const { json, first, pluginDir, accept } = parsePluginVerify(argv);
    const places = { context, ...(pluginDir === undefined ? {} : { pluginDir }) };
    if (accept && first !== undefined) {
      const [change] = await acceptPlugins(places, [first]);
      printResult(context, json, {
        schema: "wfctl/plugin-changes/1",
        value: { changes: change === undefined ? [] : [{ ...change, did: "accepted" }] },
        text: `Accepted ${change?.folder} ${change?.version} as it is in ${change?.directory}, recorded in ${change?.lockFile}.\n`,
      });
      return 0;
    }
    const lock = readLockFile(context.cwd);
    const named = first === undefined ? undefined : findInstalled(places, first);
    if (first !== undefined && named === undefined && lock.plugins[first] === undefined) {
      throw new WfctlError("PLUGIN_NOT_FOUND", `There is no plugin "${first}"`, { hint: "See: wfctl plugin list" });
    }
    const installed = listInstalled(places);
    const findings: Finding[] = [];
    for (const plugin of first === undefined ? installed : named === undefined ? [] : [named]) {
      findings.push(await examine(plugin, lock, context.cwd));
    }
    const there = new Set(installed.map(({ folder }) => folder));
    for (const name of Object.keys(lock.plugins)) {
      if (there.has(name) || (first !== undefined && name !== first)) continue;
      findings.push({
        plugin: name,
        state: "absent",
        problem: "is listed and not there; wfctl plugin install brings it",
      });
    }
    const bad = findings.filter(({ problem }) => problem !== undefined);
    printResult(context, json, {
      schema: "wfctl/plugin-verify/1",
      value: { ...(lock.exists ? { lockFile: lock.path } : {}), plugins: findings, ok: bad.length === 0 },
      text: `${findings.map((finding) => `${render(finding)}\n`).join("")}${summary(lock.exists, lock.path, findings, bad)}\n`,
    });
    return bad.length === 0 ? exitCodes.success : exitCodes.error;
  },
};

async function examine(plugin: InstalledPlugin, lock: LockFile, cwd: string): Promise<Finding> {
  const name = plugin.folder;
  try {
    await checkPin(plugin, cwd);
  } catch (error) {
    if (!(error instanceof WfctlError)) throw error;
    return { plugin: name, state: "pinned", problem: error.message };
  }
  const standing = compareWithLock(plugin, lock);
  switch (standing.state) {
    case "changed": {
      const changes = standing.changes.length === 0 ? ["what changed is not known"] : standing.changes;
      return { plugin: name, state: "changed", problem: "is not as it was when it was accepted", changes };
    }
    case "missing":
      return { plugin: name, state: "missing", problem: "is not listed" };
    case "accepted":
    case "unlocked":
      return { plugin: name, state: standing.state };
  }
}

function render({ plugin, state, problem, changes = [] }: Finding): string {
  if (problem === undefined) return `${plugin}: ${state === "accepted" ? "as recorded" : "not locked"}`;
  const accept = state === "changed" || state === "missing" ? [`  to accept it: ${acceptCommand(plugin)}`] : [];
  return [`${plugin}: ${problem}`, ...changes.map((change) => `  ${change}`), ...accept].join("\n");
}

function summary(exists: boolean, path: string, findings: readonly Finding[], bad: readonly Finding[]): string {
  if (!exists)
    return `There is no lock file in ${dirname(path)}: wfctl plugin install and wfctl plugin verify --accept write it.`;
  return bad.length === 0
    ? `All ${findings.length} are as ${path} records them.`
    : `${bad.length} of ${findings.length} are not as ${path} records them.`;
}
