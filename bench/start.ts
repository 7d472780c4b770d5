import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { measure } from "./measure.ts";
import { median } from "./statistics.ts";
import type { Tool } from "./tools.ts";

/** Fixed costs, apart from the size of the stack. */
export interface StartFigures {
  readonly bareNodeMs: number;
  /** `version` and an unchanged plan of ten resources, by tool. */
  readonly versionMs: Readonly<Record<string, number>>;
  readonly planTenMs: Readonly<Record<string, number>>;
}

export async function measureStart(tools: readonly Tool[], rounds: number): Promise<StartFigures> {
  const times = new Map<string, number[]>();
  const note = (key: string, ms: number): void => void times.set(key, [...(times.get(key) ?? []), ms]);
  const base = mkdtempSync(join(tmpdir(), "wfctl-bench-"));
  for (const tool of tools) {
    await tool.prepare(join(base, tool.name), "tree", 10);
    await tool.run(join(base, tool.name), "create", "tree", 10);
  }
  const env = { ...process.env, CHECKPOINT_DISABLE: "1" };
  for (let round = 0; round < Math.max(5, rounds); round += 1) {
    note("node", (await measure(process.execPath, ["-e", "0"], { cwd: base, env })).ms);
    for (const tool of tools) {
      note(`${tool.name} version`, (await measure(tool.program, ["version"], { cwd: base, env })).ms);
      note(`${tool.name} plan`, (await tool.run(join(base, tool.name), "plan", "tree", 10)).ms);
    }
  }
  rmSync(base, { recursive: true, force: true });
  const of = (key: string): number => Math.round(median(times.get(key) ?? []));
  return {
    bareNodeMs: of("node"),
    versionMs: Object.fromEntries(tools.map(({ name }) => [name, of(`${name} version`)])),
    planTenMs: Object.fromEntries(tools.map(({ name }) => [name, of(`${name} plan`)])),
  };
}
