import type { JournalEvent, RunHeader, RunState, StackState } from "@wfctl/model";

export interface LeaseHolder {
  readonly host: string;
  readonly bootId: string;
  readonly pidNamespace: string;
  readonly pid: number;
  readonly startTime: string;
  readonly command: string;
  readonly user: string;
  /** ISO 8601, UTC. */
  readonly since: string;
}

export interface Lease {
  /** Grows with each holder; checked on every write. */
  readonly fence: number;
  /** Aborts when the lease is found to be lost. */
  readonly lost: AbortSignal;
  /** Gives the lease back. Idempotent. */
  release(): Promise<void>;
}

/**
 * Journal and state of one stack.
 * Obligations of an implementation: `commit` resolves only when the events are durable, in the order of the calls, each call whole or not at all;
 * calls made while one is being written may share its successor's transaction; after one commit failed all later ones on the handle fail too.
 * `load` sees the last commit, takes no lease, never waits for a writer and changes not one byte.
 */
export interface Store {
  /** For people: where the state is. */
  readonly location: string;
  load(): Promise<StackState>;
  /** Throws `LEASE_HELD` with the holder in the message when another live run has it. */
  acquire(holder: LeaseHolder): Promise<Lease>;
  /** No events at all only prove that the lease is still held. Throws `LEASE_LOST` when the fence is not the newest, `STORE_UNAVAILABLE` when the write failed. Returns the serial after the commit. */
  commit(lease: Lease, events: readonly JournalEvent[]): Promise<number>;
  /** Closed and open runs, newest first. */
  runs(limit?: number): Promise<readonly RunSummary[]>;
  /** Undefined where the journal does not hold the run any more. */
  run(id: string): Promise<RunState | undefined>;
  close(): Promise<void>;
}

export interface RunSummary {
  readonly header: Omit<RunHeader, "actions"> & { readonly actionCount: number };
  readonly end?: string;
  readonly endedAt?: string;
}
