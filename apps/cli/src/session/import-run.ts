import type { JournalEvent, Outcome, ResourceRecord, RunAction, RunEnd } from "@wfctl/model";
import { thisHolder } from "@wfctl/state";
import { version } from "../version.ts";
import { createRunId } from "./runtime.ts";
import type { WritingSession } from "./writing-session.ts";

/** A run of imports while it goes on. Where the process dies before it is closed, the next command closes it. */
export interface ImportRun {
  readonly id: string;
  /** Durable when it resolves: the outcome of one import, with its record where there is one. */
  end(outcome: Omit<Outcome, "attempts" | "durationMs">, record?: ResourceRecord): Promise<void>;
  close(end: RunEnd): Promise<void>;
}

/** Begins a run whose actions are all imports. `events` are written with its beginning. */
export async function beginImportRun(
  { store, lease }: Pick<WritingSession, "store" | "lease">,
  actions: readonly Omit<RunAction, "index" | "kind">[],
  events: readonly JournalEvent[],
): Promise<ImportRun> {
  const nowMs = Date.now();
  const run = createRunId(nowMs);
  const { user, host } = thisHolder("import");
  const header = {
    id: run,
    command: "import",
    planId: "",
    planDigest: "",
    onFailure: "continue",
    actions: actions.map((action, index): RunAction => ({ index, kind: "import", ...action })),
    startedAt: new Date(nowMs).toISOString(),
    user,
    host,
    fence: lease.fence,
    engineVersion: version,
  } as const;
  await store.commit(lease, [{ kind: "run-started", run: header }, ...events]);
  return {
    id: run,
    async end(outcome, record) {
      const change = record === undefined ? {} : { record: { put: { ...record, run } } };
      await store.commit(lease, [
        { kind: "outcome", run, outcome: { ...outcome, attempts: 1, durationMs: 0 }, ...change },
      ]);
    },
    async close(end) {
      await store.commit(lease, [{ kind: "run-closed", run, end, at: new Date().toISOString() }]);
    },
  };
}
