import type { Intent, Outcome, OwedHook } from "@wfctl/model";
import { createDraft, type RunDraft, type StackDraft, type UnknownIntent } from "../draft.ts";
import type { ClosedRun, LogState } from "./log-state.ts";

/** A `LogState` as JSON. Closed runs are objects of their own; the snapshot lists them. */
export interface Snapshot {
  readonly last: number;
  readonly lineage: string;
  readonly serial: number;
  readonly runCount: number;
  readonly records: StackDraft["records"] extends Map<string, infer Value> ? readonly [string, Value][] : never;
  readonly openRuns: readonly RunSnapshot[];
  readonly unknown: readonly [string, UnknownIntent][];
  readonly finalizeOwed: readonly string[];
  /** Absent in what earlier versions wrote. */
  readonly hooksOwed?: readonly [string, OwedHook][];
  readonly providerConfigs: readonly [string, { name: string; config: never }][];
  readonly fence: number;
  readonly lease?: NonNullable<LogState["lease"]>;
  readonly closed: readonly [string, ClosedRun][];
  readonly fences: readonly number[];
}

export interface RunSnapshot extends Omit<
  RunDraft,
  "open" | "unknown" | "outcomes" | "hooksOwed" | "halvesDone" | "sent" | "finalizeOwed" | "undo" | "closed"
> {
  readonly open: readonly [string, Intent][];
  readonly unknown: readonly [string, UnknownIntent][];
  readonly outcomes: readonly [number, Outcome][];
  readonly hooksOwed: readonly number[];
  readonly halvesDone: readonly string[];
  readonly sent: readonly [string, Intent][];
  readonly finalizeOwed: readonly string[];
  readonly undo?: NonNullable<RunDraft["undo"]>;
  readonly closed?: NonNullable<RunDraft["closed"]>;
}

export function toSnapshot(state: LogState): Snapshot {
  const { draft } = state;
  return {
    last: state.last,
    lineage: draft.lineage,
    serial: draft.serial,
    runCount: draft.runCount,
    records: [...draft.records],
    openRuns: [...draft.openRuns.values()].map(toRunSnapshot),
    unknown: [...draft.unknown],
    finalizeOwed: [...draft.finalizeOwed],
    hooksOwed: [...draft.hooksOwed],
    providerConfigs: [...draft.providerConfigs] as never,
    fence: state.fence,
    ...(state.lease === undefined ? {} : { lease: state.lease }),
    closed: [...state.closed],
    fences: state.fences,
  };
}

export function fromSnapshot(snapshot: Snapshot): LogState {
  const draft = createDraft(snapshot.lineage, { history: true });
  draft.serial = snapshot.serial;
  draft.runCount = snapshot.runCount;
  fill(draft.records, snapshot.records);
  fill(
    draft.openRuns,
    snapshot.openRuns.map((run) => [run.header.id, fromRunSnapshot(run)]),
  );
  fill(draft.unknown, snapshot.unknown);
  fill(draft.providerConfigs, snapshot.providerConfigs);
  fill(draft.hooksOwed, snapshot.hooksOwed ?? []);
  for (const provider of snapshot.finalizeOwed) draft.finalizeOwed.add(provider);
  return {
    last: snapshot.last,
    draft,
    fence: snapshot.fence,
    lease: snapshot.lease,
    closed: new Map(snapshot.closed),
    fences: [...snapshot.fences],
  };
}

export function toRunSnapshot(run: RunDraft): RunSnapshot {
  const { undo, closed, ...rest } = run;
  return {
    ...rest,
    open: [...run.open],
    unknown: [...run.unknown],
    outcomes: [...run.outcomes],
    hooksOwed: [...run.hooksOwed],
    halvesDone: [...run.halvesDone],
    sent: [...run.sent],
    finalizeOwed: [...run.finalizeOwed],
    ...(undo === undefined ? {} : { undo }),
    ...(closed === undefined ? {} : { closed }),
  };
}

export function fromRunSnapshot(run: RunSnapshot): RunDraft {
  return {
    ...run,
    open: new Map(run.open),
    unknown: new Map(run.unknown),
    outcomes: new Map(run.outcomes),
    hooksOwed: new Set(run.hooksOwed),
    halvesDone: new Set(run.halvesDone),
    sent: new Map(run.sent),
    finalizeOwed: new Set(run.finalizeOwed),
    finalizeErrors: [...run.finalizeErrors],
    plugins: [...run.plugins],
    undo: run.undo,
    closed: run.closed,
  };
}

function fill<Key, Value>(map: Map<Key, Value>, entries: readonly (readonly [Key, Value])[]): void {
  for (const [key, value] of entries) map.set(key, value);
}
