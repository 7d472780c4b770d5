import { mkdtempSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createLineage, createStack, generateKey, openSqliteStore, thisHolder } from "@wfctl/state";
import { sampleRun } from "@wfctl/state/testing";
import { median } from "./statistics.ts";
import type { WfctlTool } from "./tools.ts";

/** What a command costs on a stack of some size. */
export interface GrowthRow {
  readonly size: number;
  readonly command: string;
  readonly ms: number;
  readonly cpuMs: number;
  readonly hostPeakMb: number;
}

export interface Growth {
  readonly rows: readonly GrowthRow[];
  /** Bytes of the state file after so many runs of ten actions each, compacted. */
  readonly journal: readonly { readonly runs: number; readonly bytes: number }[];
}

const readers = [["status"], ["outputs"], ["state", "list"], ["plan"]] as const;
const runsOfJournal = [100, 400, 1000];

/** Commands that read, by size of the stack, and the state file over a thousand runs. The largest stack is made and removed once. */
export async function measureGrowth(tool: WfctlTool, sizes: readonly number[], rounds: number): Promise<Growth> {
  const rows: GrowthRow[] = [];
  for (const size of sizes) rows.push(...(await measureSize(tool, size, rounds)));
  return { rows, journal: await measureJournal() };
}

async function measureSize(tool: WfctlTool, size: number, rounds: number): Promise<GrowthRow[]> {
  const base = mkdtempSync(join(tmpdir(), "wfctl-bench-"));
  const directory = join(base, "stack");
  await tool.prepare(directory, "tree", size);
  const rows: GrowthRow[] = [];
  const note = async (args: readonly string[], times: number): Promise<void> => {
    process.stderr.write(`wfctl tree ${size} ${args.join(" ")}\n`);
    const all = [];
    for (let round = 0; round < times; round += 1) all.push(await tool.call(directory, args));
    const failed = all.find(({ exitCode }) => exitCode !== 0);
    if (failed !== undefined)
      throw new Error(
        `wfctl ${args.join(" ")} of ${size} ended with ${failed.exitCode}: ${failed.stderr.slice(-2000)}`,
      );
    rows.push({
      size,
      command: args.filter((arg) => !arg.startsWith("--")).join(" "),
      ms: Math.round(median(all.map(({ ms }) => ms))),
      cpuMs: Math.round(median(all.map(({ cpuMs }) => cpuMs))),
      hostPeakMb: Math.round(median(all.map(({ hostPeakBytes }) => hostPeakBytes)) / 1e6),
    });
  };
  await note(["apply", "--auto-approve"], 1);
  for (const args of readers) await note(args, rounds);
  await note(["destroy", "--auto-approve"], 1);
  rmSync(base, { recursive: true, force: true });
  return rows;
}

async function measureJournal(): Promise<Growth["journal"]> {
  const directory = mkdtempSync(join(tmpdir(), "wfctl-bench-"));
  const path = join(directory, "state.db");
  const key = generateKey();
  createStack({ path, name: "bench", environment: "", lineage: createLineage(), key });
  const store = await openSqliteStore({ path, key });
  const lease = await store.acquire(thisHolder("bench"));
  const names = Array.from({ length: 10 }, (_, index) => `r${index}`);
  const journal: { runs: number; bytes: number }[] = [];
  let done = 0;
  for (const runs of runsOfJournal) {
    for (; done < runs; done += 1) {
      const commits = sampleRun(`run-${done}`, names, new Date().toISOString());
      await Promise.all(commits.map((events) => store.commit(lease, events)));
    }
    await store.compact(lease);
    journal.push({ runs, bytes: statSync(path).size });
  }
  await lease.release();
  await store.close();
  rmSync(directory, { recursive: true, force: true });
  return journal;
}
