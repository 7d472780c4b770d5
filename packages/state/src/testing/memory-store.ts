import type { Lease, LeaseHolder, RunSummary, Store } from "@wfctl/engine";
import { WfctlError, type JournalEvent, type RunState, type StackState } from "@wfctl/model";
import { admitEvents, type OpenRun } from "../admission.ts";
import { createDraft, type RunDraft, type StackDraft } from "../draft.ts";
import { applyCommit } from "../reduce.ts";
import { openRunsOf, toRunState, toStackState } from "../to-state.ts";
import { defaultRetention, runsToDrop, type Retention } from "../retention.ts";
import { summaryOf } from "../run-summary.ts";

/** The durable part: what survives a crash. Shared by all handles that are opened on it. */
export interface MemoryDisk {
  readonly lineage: string;
  readonly draft: StackDraft;
  /** Every commit that became durable, in order. */
  readonly commits: (readonly JournalEvent[])[];
  fence: number;
  lease:
    | { readonly holder: LeaseHolder; readonly fence: number; readonly handle: object; beatAtMs: number }
    | undefined;
}

export interface MemoryStoreOptions {
  /** Time for lease expiry and retention. @default a clock that stands still at 0 */
  readonly clock?: { now(): number };
  /**
   * Awaited before each write becomes durable: the place to let virtual time pass, to crash the store, or to throw
   * (the write then fails as on a full disk). Without it a write is durable one microtask after its commit.
   */
  readonly beforeWrite?: (commits: readonly (readonly JournalEvent[])[]) => Promise<void> | void;
  /** @default 30000 */
  readonly expiryMs?: number;
  readonly retention?: Retention;
}

/** A store over the reducer, without files and without real time: equal calls give equal results in equal order. */
export interface MemoryStore extends Store {
  readonly disk: MemoryDisk;
  /** Commits that were called and are not durable yet. */
  pending(): number;
  /**
   * The process dies: of the pending commits the first `keep` become durable without being acknowledged, the rest is
   * lost. Nothing that was asked of this handle is ever answered. The lease stays behind, held by a dead process.
   * Returns how many commits were kept.
   */
  crash(options?: { keep?: number }): number;
  /** The process stops beating, as behind a network partition: after `expiryMs` others may take the lease. */
  pauseHeartbeat(): void;
  /** Beats again; finds out when the lease was lost meanwhile. */
  resumeHeartbeat(): void;
}

export function createMemoryDisk(options: { lineage?: string } = {}): MemoryDisk {
  const lineage = options.lineage ?? "memory";
  return { lineage, draft: createDraft(lineage, { history: true }), commits: [], fence: 0, lease: undefined };
}

interface Pending {
  readonly fence: number;
  readonly events: readonly JournalEvent[];
  readonly resolve: (serial: number) => void;
  readonly reject: (error: WfctlError) => void;
}

interface Handle {
  alive: boolean;
  beating: boolean;
  failed: WfctlError | undefined;
  open: Map<string, OpenRun>;
  abort: AbortController | undefined;
}

/** Opens a handle on the disk, as a process would. Without a disk: a new, empty one. */
export function createMemoryStore(options: MemoryStoreOptions & { disk?: MemoryDisk } = {}): MemoryStore {
  const disk = options.disk ?? createMemoryDisk();
  const clock = options.clock ?? { now: () => 0 };
  const expiryMs = options.expiryMs ?? 30_000;
  const handle: Handle = { alive: true, beating: true, failed: undefined, open: new Map(), abort: undefined };
  const queue: Pending[] = [];
  let writing = false;
  let written: Promise<void> = Promise.resolve();
  let pausedAtMs = 0;
  const never = <T>(): Promise<T> => new Promise<T>(() => {});

  const holds = (): boolean => disk.lease?.handle === handle;
  const lose = (): WfctlError => {
    const error = new WfctlError("LEASE_LOST", "Commit to the state failed: the lease was taken over by another run");
    handle.failed ??= error;
    handle.abort?.abort(error);
    return error;
  };

  const applyDurably = (events: readonly JournalEvent[]): number => {
    disk.commits.push(events);
    const serial = applyCommit(disk.draft, events);
    dropOldRuns(disk.draft, clock.now(), options.retention ?? defaultRetention);
    return serial;
  };

  const write = async (): Promise<void> => {
    writing = true;
    await Promise.resolve();
    while (queue.length > 0 && handle.alive) {
      const group = queue.slice();
      let failure: WfctlError | undefined = handle.failed;
      if (failure === undefined) {
        try {
          await options.beforeWrite?.(group.map((pending) => pending.events));
        } catch (thrown) {
          failure = new WfctlError("STORE_UNAVAILABLE", "Commit to the state failed: the write was refused", {
            cause: thrown,
          });
        }
        if (!handle.alive) return;
      }
      queue.splice(0, group.length);
      for (const pending of group) {
        if (failure === undefined && disk.lease?.fence !== pending.fence) failure = lose();
        if (failure === undefined) pending.resolve(applyDurably(pending.events));
        else {
          handle.failed ??= failure;
          pending.reject(failure);
        }
      }
    }
    writing = false;
  };

  const takeLease = (holder: LeaseHolder): number => {
    const current = disk.lease;
    if (current !== undefined && current.handle !== handle) {
      const owner = current.handle as Handle;
      const beatAtMs = owner.beating ? clock.now() : current.beatAtMs;
      const expiresInMs = beatAtMs + expiryMs - clock.now();
      if (owner.alive && expiresInMs > 0) {
        const { host, pid, command, user, since } = current.holder;
        throw new WfctlError(
          "LEASE_HELD",
          `Lease of the state is held by '${command}' (${user}@${host}, process ${pid}) since ${since}`,
          {
            hint: `Wait for it to end; if its process is gone the lease is free in ${Math.ceil(expiresInMs / 1000)} s`,
          },
        );
      }
    } else if (current !== undefined) {
      throw new WfctlError("LEASE_HELD", "Lease of the state is held by this very process already");
    }
    disk.fence += 1;
    disk.lease = { holder, fence: disk.fence, handle, beatAtMs: clock.now() };
    return disk.fence;
  };

  return {
    location: "memory",
    disk,
    async load(): Promise<StackState> {
      if (!handle.alive) return await never();
      return toStackState(disk.draft);
    },
    async acquire(holder): Promise<Lease> {
      if (!handle.alive) return await never();
      const fence = takeLease(holder);
      const abort = new AbortController();
      handle.abort = abort;
      handle.failed = undefined;
      handle.beating = true;
      handle.open = openRunsOf(disk.draft);
      return {
        fence,
        lost: abort.signal,
        async release() {
          if (!handle.alive) return await never();
          if (disk.lease?.fence === fence) disk.lease = undefined;
        },
      };
    },
    commit(lease, events): Promise<number> {
      if (!handle.alive) return never();
      if (handle.failed !== undefined) return Promise.reject(handle.failed);
      try {
        if (disk.lease?.fence !== lease.fence || !holds()) throw lose();
        admitEvents(handle.open, events);
      } catch (thrown) {
        handle.failed = WfctlError.from(thrown);
        return Promise.reject(handle.failed);
      }
      const copy = JSON.parse(JSON.stringify(events)) as JournalEvent[];
      return new Promise((resolve, reject) => {
        queue.push({ fence: lease.fence, events: copy, resolve, reject });
        if (!writing) written = write();
      });
    },
    async runs(limit = Infinity): Promise<readonly RunSummary[]> {
      if (!handle.alive) return await never();
      return summaries(disk.draft).slice(0, limit);
    },
    async run(id): Promise<RunState | undefined> {
      if (!handle.alive) return await never();
      const run = disk.draft.openRuns.get(id) ?? disk.draft.history?.get(id);
      return run === undefined ? undefined : toRunState(run);
    },
    async close(): Promise<void> {
      if (!handle.alive) return await never();
      await written;
      if (holds()) disk.lease = undefined;
      handle.failed = new WfctlError("STORE_UNAVAILABLE", "Commit to the state failed: the store is closed");
    },
    pending: () => queue.length,
    crash({ keep = 0 } = {}) {
      if (!handle.alive) return 0;
      handle.alive = false;
      const kept = holds() && handle.failed === undefined ? queue.slice(0, keep) : [];
      for (const pending of kept) applyDurably(pending.events);
      queue.length = 0;
      return kept.length;
    },
    pauseHeartbeat() {
      if (!handle.beating) return;
      handle.beating = false;
      pausedAtMs = clock.now();
      if (holds() && disk.lease !== undefined) disk.lease.beatAtMs = pausedAtMs;
    },
    resumeHeartbeat() {
      handle.beating = true;
      if (handle.abort !== undefined && !holds()) lose();
    },
  };
}

function dropOldRuns(draft: StackDraft, nowMs: number, retention: Retention): void {
  const { history } = draft;
  if (history === undefined || history.size <= 1) return;
  const byStart = [...history.values()].toSorted((a, b) => a.number - b.number);
  const closed = byStart.map((run) => ({ id: run.header.id, closedAt: run.closed!.at }));
  for (const { id } of runsToDrop(closed, nowMs, retention)) history.delete(id);
}

function summaries(draft: StackDraft): RunSummary[] {
  const runs: RunDraft[] = [...(draft.history?.values() ?? []), ...draft.openRuns.values()];
  return runs.toSorted((a, b) => b.number - a.number).map(summaryOf);
}
