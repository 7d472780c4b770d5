import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { measure } from "./measure.ts";
import { median } from "./statistics.ts";
import type { Tool, WfctlTool } from "./tools.ts";

/** Fixed costs, apart from the size of the stack. Medians; what is called least is the best of all rounds, which other load spoils less. */
export interface StartFigures {
  readonly bareNodeMs: number;
  /** `version` and an unchanged plan of ten resources, by tool. */
  readonly versionMs: Readonly<Record<string, number>>;
  readonly planTenMs: Readonly<Record<string, number>>;
  readonly least?: {
    readonly bareNodeMs: number;
    readonly versionMs: Readonly<Record<string, number>>;
    readonly planTenMs: Readonly<Record<string, number>>;
  };
  /** wfctl alone: commands that only read a stack of ten, and the plan without what earlier runs have compiled. */
  readonly wfctlMs?: { readonly status: number; readonly outputs: number; readonly planUncached: number };
}

/** So many runs add to what is kept of the code that they compiled: they are not measured. */
const warmUpRounds = 4;

export async function measureStart(own: WfctlTool, tools: readonly Tool[], rounds: number): Promise<StartFigures> {
  const times = new Map<string, number[]>();
  const base = mkdtempSync(join(tmpdir(), "wfctl-bench-"));
  const env = { ...process.env, CHECKPOINT_DISABLE: "1" };
  for (let round = -warmUpRounds; round < Math.max(15, rounds); round += 1) {
    const note = (key: string, { ms }: { readonly ms: number }): void => {
      if (round >= 0) times.set(key, [...(times.get(key) ?? []), ms]);
    };
    note("node", await measure(process.execPath, ["-e", "0"], { cwd: base, env }));
    for (const tool of tools) {
      const directory = join(base, tool.name);
      if (round < 0) {
        await tool.prepare(directory, "tree", 10);
        await tool.run(directory, "create", "tree", 10);
      }
      note(`${tool.name} version`, await measure(tool.program, ["version"], { cwd: base, env }));
      note(`${tool.name} plan`, await tool.run(directory, "plan", "tree", 10));
    }
    const directory = join(base, own.name);
    note("status", await own.call(directory, ["status"]));
    note("outputs", await own.call(directory, ["outputs"]));
    note("uncached", await own.call(directory, ["plan"], { NODE_DISABLE_COMPILE_CACHE: "1" }));
  }
  rmSync(base, { recursive: true, force: true });
  const of = (key: string): number => Math.round(median(times.get(key) ?? []));
  const leastOf = (key: string): number => Math.round(Math.min(...(times.get(key) ?? [])));
  const byTool = (work: string, figure: (key: string) => number): Record<string, number> =>
    Object.fromEntries(tools.map(({ name }) => [name, figure(`${name} ${work}`)]));
  return {
    bareNodeMs: of("node"),
    versionMs: byTool("version", of),
    planTenMs: byTool("plan", of),
    least: {
      bareNodeMs: leastOf("node"),
      versionMs: byTool("version", leastOf),
      planTenMs: byTool("plan", leastOf),
    },
    wfctlMs: { status: of("status"), outputs: of("outputs"), planUncached: of("uncached") },
  };
}
