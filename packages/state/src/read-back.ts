import { rmSync } from "node:fs";
import { dirname } from "node:path";
import type { LeaseHolder } from "@wfctl/engine";
import type { JournalEvent, RunState } from "@wfctl/model";
import type { StateStore } from "./backend.ts";
import { syncDirectory } from "./durable-file.ts";
import { listEmergencies, readEmergency } from "./emergency.ts";
import type { Finding } from "./finding.ts";
import type { StackKey } from "./sealing/key.ts";

/** One finding per file with outcomes that the store had refused. `base` is what the files are named after. */
export function findEmergencies(base: string): Finding[] {
  return listEmergencies(base).map(({ run, path: file }): Finding => ({
    check: "emergency",
    severity: "error",
    problem: `Outcomes of run '${run}' are not in the state but in '${file}'`,
    repair: "records them, and removes the file",
  }));
}

/** Commits what emergency files hold and the journal does not, then removes the files. Without the key they stay. */
export async function readBackEmergencies(options: {
  readonly base: string;
  readonly holder: LeaseHolder;
  readonly key?: StackKey;
  readonly open: (key: StackKey) => Promise<StateStore>;
}): Promise<Finding[]> {
  const { base, holder, key } = options;
  const files = listEmergencies(base);
  if (files.length === 0 || key === undefined) return [];
  const store = await options.open(key);
  const done: Finding[] = [];
  try {
    const lease = await store.acquire(holder);
    for (const { run, path: file } of files) {
      const lists = readEmergency(file, run, store.sealer!);
      for (const events of lists) {
        const missing = events.filter(notYetIn(await store.run(run)));
        if (missing.length > 0) await store.commit(lease, missing);
      }
      rmSync(file);
      syncDirectory(dirname(file));
      done.push({ check: "emergency", severity: "error", problem: `Outcomes of run '${run}' were in '${file}'` });
    }
    await lease.release();
  } finally {
    await store.close();
  }
  return done;
}

/** Outcomes of slots that are filled, or of runs that are over, were settled by recovery meanwhile. */
function notYetIn(run: RunState | undefined): (event: JournalEvent) => boolean {
  if (run === undefined || run.closed !== undefined) return () => false;
  return (event) => event.kind !== "outcome" || !run.outcomes.has(event.outcome.action);
}
