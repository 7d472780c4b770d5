import type { LeaseHolder, RunSummary } from "@wfctl/engine";
import type { JournalEvent } from "@wfctl/model";
import { createDraft, type RunDraft, type StackDraft } from "../draft.ts";
import { applyCommit, runOf } from "../reduce.ts";
import { runsToDrop, type Retention } from "../retention.ts";
import { summaryOf } from "../run-summary.ts";
import type { Segment } from "./segment.ts";

/** What the log says up to one segment. */
export interface LogState {
  /** Number of the last segment that is in it. */
  last: number;
  readonly draft: StackDraft;
  fence: number;
  lease: { readonly holder: LeaseHolder; readonly expiryMs: number; readonly segment: number } | undefined;
  /** All closed runs that are kept, in the order of their start; `draft.history` holds those that are in memory. */
  readonly closed: Map<string, ClosedRun>;
  /** Segments that took or broke the lease: they stay, since a writer that they fenced may still try their number. */
  readonly fences: number[];
}

export interface ClosedRun {
  readonly number: number;
  readonly summary: RunSummary;
  readonly closedAt: string;
  /** Key of the object that holds it; absent while the segments alone tell of it. */
  readonly object?: string;
}

export function createLogState(lineage: string): LogState {
  return {
    last: 0,
    draft: createDraft(lineage, { history: true }),
    fence: 0,
    lease: undefined,
    closed: new Map(),
    fences: [],
  };
}

/** Applies the segment with the number `last + 1`. Returns the serial after each of its commits. */
export function applySegment(state: LogState, segment: Segment): number[] {
  state.last += 1;
  switch (segment.kind) {
    case "lease-taken":
      state.fence = segment.fence;
      state.lease = { holder: segment.holder, expiryMs: segment.expiryMs, segment: state.last };
      state.fences.push(state.last);
      return [];
    case "lease-broken":
      state.fence = segment.fence;
      state.lease = undefined;
      state.fences.push(state.last);
      return [];
    case "lease-released":
      state.lease = undefined;
      return [];
    case "commits":
      return segment.commits.map((events) => {
        const serial = applyCommit(state.draft, events);
        for (const event of events) if (event.kind === "run-closed") noteClosed(state, event.run);
        return serial;
      });
  }
}

function noteClosed(state: LogState, id: string): void {
  const run = state.draft.history!.get(id)!;
  state.closed.set(id, { number: run.number, summary: summaryOf(asSummarised(run)), closedAt: run.closed!.at });
}

function asSummarised({ header, closed }: RunDraft): Parameters<typeof summaryOf>[0] {
  return { header, ...(closed === undefined ? {} : { closed }) };
}

/** Drops closed runs as the retention says; returns the objects that hold them. */
export function dropClosedRuns(state: LogState, nowMs: number, retention: Retention): string[] {
  const byStart = [...state.closed].map(([id, run]) => ({ id, ...run })).toSorted((a, b) => a.number - b.number);
  const dropped = runsToDrop(byStart, nowMs, retention);
  for (const { id } of dropped) {
    state.closed.delete(id);
    state.draft.history!.delete(id);
  }
  return dropped.flatMap(({ object }) => object ?? []);
}

export function summariesOf(state: LogState): RunSummary[] {
  const open = [...state.draft.openRuns.values()].map((run) => ({
    number: run.number,
    summary: summaryOf(asSummarised(run)),
  }));
  return [...state.closed.values(), ...open].toSorted((a, b) => b.number - a.number).map(({ summary }) => summary);
}

/** Closed runs that the events name and that are not in memory. */
export function missingRuns(state: LogState, commits: readonly (readonly JournalEvent[])[]): ClosedRun[] {
  const missing = new Set<ClosedRun>();
  for (const events of commits) {
    for (const event of events) {
      const id = runOf(event);
      if (id === undefined || state.draft.history!.has(id)) continue;
      const closed = state.closed.get(id);
      if (closed !== undefined) missing.add(closed);
    }
  }
  return [...missing];
}
