import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Shape } from "./stacks.ts";
import { median, rankTest } from "./statistics.ts";
import { wfctl, works, type Tool } from "./tools.ts";

const significance = 0.05;
/** A significant loss smaller than this is noise of the machine. */
const toleratedLoss = 0.05;

/** Runs two revisions interleaved and prints each figure's change. Returns 1 where one got significantly slower. */
export async function compareRevisions(options: {
  readonly root: string;
  readonly base: string;
  readonly sizes: readonly number[];
  readonly shapes: readonly Shape[];
  readonly rounds: number;
  readonly extra: readonly string[];
}): Promise<number> {
  const directory = mkdtempSync(join(tmpdir(), "wfctl-bench-base-"));
  const checkout = join(directory, "checkout");
  execFileSync("git", ["worktree", "add", "--quiet", "--detach", checkout, options.base], { cwd: options.root });
  try {
    const install = ["ci", "--no-audit", "--no-fund", "--prefer-offline", "--loglevel", "error"];
    execFileSync("npm", install, { cwd: checkout, stdio: "inherit" });
    const tools = [await wfctl(checkout, "base", options.extra), await wfctl(options.root, "head", options.extra)];
    return await interleave(tools, directory, options);
  } finally {
    rmSync(directory, { recursive: true, force: true });
    execFileSync("git", ["worktree", "prune"], { cwd: options.root, stdio: "inherit" });
  }
}

async function interleave(
  tools: readonly Tool[],
  directory: string,
  options: { readonly sizes: readonly number[]; readonly shapes: readonly Shape[]; readonly rounds: number },
): Promise<number> {
  let lost = false;
  for (const shape of options.shapes) {
    for (const size of options.sizes) {
      const times = new Map<string, number[]>();
      for (let round = 0; round < options.rounds; round += 1) {
        for (const tool of round % 2 === 0 ? tools : tools.toReversed()) {
          const own = join(directory, tool.name);
          await tool.prepare(own, shape, size);
          for (const work of works) {
            const result = await tool.run(own, work, shape, size);
            if (result.exitCode !== 0)
              throw new Error(`${tool.name} ${work} ended with ${result.exitCode}: ${result.stderr.slice(-2000)}`);
            const key = `${tool.name} ${work}`;
            times.set(key, [...(times.get(key) ?? []), result.ms]);
          }
        }
      }
      for (const work of works) {
        const before = times.get(`base ${work}`) ?? [];
        const after = times.get(`head ${work}`) ?? [];
        const change = median(after) / median(before) - 1;
        const p = rankTest(before, after);
        const verdict = p >= significance ? "~" : `${change > 0 ? "+" : ""}${(change * 100).toFixed(1)} %`;
        lost ||= p < significance && change > toleratedLoss;
        process.stdout.write(
          `${shape} ${size} ${work}: ${Math.round(median(before))} ms -> ${Math.round(median(after))} ms  ${verdict} (p=${p.toFixed(3)}, n=${before.length}+${after.length})\n`,
        );
      }
    }
  }
  return lost ? 1 : 0;
}
