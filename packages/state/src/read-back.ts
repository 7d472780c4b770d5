import { rmSync } from "node:fs";
import { dirname } from "node:path";
import type { Lease, LeaseHolder } from "@wfctl/engine";
import { WfctlError, type JournalEvent, type RecordChange, type RunState, type StackState } from "@wfctl/model";
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
    repair: "records them, and removes the file; so does the next command that takes the lease",
  }));
}

/** What became of one emergency file. */
export interface ReadBack {
  readonly run: string;
  readonly path: string;
  /** Commits that the journal lacked; 0 where recovery had settled all of them. */
  readonly recorded: number;
}

/**
 * Commits what emergency files hold and the journal does not, then removes the files: to be called under the lease before
 * anything is resolved or planned. Repeating it after a kill at any point gives the same.
 * Throws `STORE_CORRUPT`, with nothing of that file committed, where the file is damaged or tells of an object that the
 * journal, which has settled the action without it, knows nothing of.
 */
export async function readBackEmergencies(options: {
  readonly base: string;
  readonly store: StateStore;
  readonly lease: Lease;
}): Promise<ReadBack[]> {
  const { base, store, lease } = options;
  const files = listEmergencies(base);
  if (files.length === 0 || store.sealer === undefined) return [];
  const done: ReadBack[] = [];
  for (const { run, path } of files) {
    const lists = readEmergency(path, run, store.sealer);
    const state = await store.load();
    const journaled = await store.run(run);
    for (const events of lists) refuseContradictions(events, journaled, { state, path, run });
    let recorded = 0;
    for (const events of lists) {
      const missing = missingOf(events, await store.run(run));
      if (missing.length === 0) continue;
      await store.commit(lease, missing);
      recorded += 1;
    }
    rmSync(path);
    syncDirectory(dirname(path));
    done.push({ run, path, recorded });
  }
  return done;
}

/** The same for a repair, which takes the lease for it. Without the key the files stay. */
export async function repairEmergencies(options: {
  readonly base: string;
  readonly holder: LeaseHolder;
  readonly key?: StackKey;
  readonly open: (key: StackKey) => Promise<StateStore>;
}): Promise<Finding[]> {
  const { base, holder, key } = options;
  if (key === undefined || listEmergencies(base).length === 0) return [];
  const store = await options.open(key);
  try {
    const lease = await store.acquire(holder);
    try {
      const done = await readBackEmergencies({ base, store, lease });
      return done.map(({ run, path }): Finding => {
        const problem = `Outcomes of run '${run}' were in '${path}'`;
        return { check: "emergency", severity: "error", problem };
      });
    } finally {
      await lease.release();
    }
  } finally {
    await store.close();
  }
}

/** The part of a commit that the journal lacks. What was settled meanwhile, by recovery or by an undo, stays as it is. */
function missingOf(events: readonly JournalEvent[], run: RunState | undefined): JournalEvent[] {
  if (run === undefined || run.closed !== undefined) return [];
  const isSettled = (action: number): boolean => run.outcomes.has(action);
  return events.filter((event) => {
    switch (event.kind) {
      case "outcome":
        return !isSettled(event.outcome.action);
      case "half":
        return !isSettled(event.action) && !run.halvesDone.includes(`${event.action}:${event.half}`);
      case "hooks-done":
        return run.hooksOwed.includes(event.action) || events.some(owesHookOf(event.action));
      case "intent":
        return !isSettled(event.intent.action);
      default:
        return true;
    }
  });
}

function owesHookOf(action: number): (event: JournalEvent) => boolean {
  return (event) => event.kind === "half" && event.action === action && event.hooksOwed === true;
}

/** An object that only the file knows, of an action that the journal has settled otherwise, must not be forgotten. */
function refuseContradictions(
  events: readonly JournalEvent[],
  run: RunState | undefined,
  facts: { readonly state: StackState; readonly path: string; readonly run: string },
): void {
  for (const event of events) {
    if (event.kind !== "outcome" && event.kind !== "half") continue;
    const action = event.kind === "outcome" ? event.outcome.action : event.action;
    const settled = run?.outcomes.get(action);
    if (run !== undefined && run.closed === undefined && settled === undefined) continue;
    if (event.kind === "outcome" && settled?.status === event.outcome.status) continue;
    const object = objectOf(event.record);
    if (object === undefined || isKnown(facts.state, object.providerId)) continue;
    const told = event.kind === "outcome" ? event.outcome.status : "done by half";
    const here = run === undefined ? "does not hold that run any more" : `says ${settled?.status ?? "nothing of it"}`;
    throw new WfctlError(
      "STORE_CORRUPT",
      `Outcomes of run '${facts.run}' in '${facts.path}' contradict the journal: there "${object.name}" is ${object.providerId} (${told}), the journal ${here}`,
      {
        address: object.name,
        hint: `Look whether the object ${object.providerId} exists: take it over with "wfctl import" or delete it, then remove the file`,
      },
    );
  }
}

function objectOf(
  change: RecordChange | undefined,
): { readonly name: string; readonly providerId: string } | undefined {
  return change !== undefined && "put" in change ? change.put : undefined;
}

function isKnown(state: StackState, providerId: string): boolean {
  for (const record of state.records.values()) {
    if (record.providerId === providerId || record.deposed.some((old) => old.providerId === providerId)) return true;
  }
  return false;
}

/** For commands that must not lose what an emergency file holds. */
export function refuseEmergencies(path: string, doing: string): void {
  const [first] = listEmergencies(path);
  if (first === undefined) return;
  throw new WfctlError("STORE_UNAVAILABLE", `${doing} failed: outcomes wait in '${first.path}'`, {
    hint: "Record them first: wfctl state doctor --repair",
  });
}
