import type { Lease, LeaseHolder, Store } from "@wfctl/engine";
import type { Finding } from "./finding.ts";
import type { StackIdentity, StackInfo } from "./identity.ts";
import type { LeaseTimes, LeaseView } from "./lease/lease-view.ts";
import type { StackKey } from "./sealing/key.ts";
import type { RekeyRequest } from "./rekey/rewriting.ts";
import type { Sealer } from "./sealing/sealer.ts";

/** What every store tells of its stack without a key and without reading its journal. */
export type StackMeta = Omit<StackInfo, "serial">;

/** A `Store` with what commands need beside the journal. */
export interface StateStore extends Store {
  readonly info: StackMeta;
  /** Undefined without a key. */
  readonly sealer: Sealer | undefined;
  /** Drops old closed runs and gives the space back. */
  compact(lease: Lease): Promise<void>;
}

export interface OpenStateOptions {
  /** Without it secrets read as `{"$sealed": …}` and cannot be written. */
  readonly key?: StackKey;
  /** Refuses `acquire`. Nothing is written in either mode before it. @default false */
  readonly readOnly?: boolean;
  /**
   * Make the stack where there is none. Needs the key. Where another stack is, as when another process was quicker, the
   * key is not its key: the handle then goes without, and `info.lineage` tells.
   */
  readonly create?: StackIdentity;
  /** Only for tests. */
  readonly lease?: Partial<LeaseTimes>;
}

/** The place of one stack's state, whatever keeps it. Nothing is asked of it before the first call. */
export interface StateBackend {
  /** For people. */
  readonly location: string;
  /** True where there is a state, or what is left of one. */
  exists(): Promise<boolean>;
  /** Undefined where there is no state. */
  readInfo(): Promise<StackMeta | undefined>;
  /** Throws `STORE_UNAVAILABLE` (also where there is no state), `STORE_CORRUPT`, `STORE_VERSION`, `KEY_WRONG`. */
  open(options: OpenStateOptions): Promise<StateStore>;
  /** The lease as it stands; its `fence` is the id that `breakLease` wants. */
  readLease(): Promise<LeaseView>;
  /** Ends the lease with this id by hand. Its holder, if it lives, fails at its next write. Throws `USAGE` for another id. */
  breakLease(id: number): Promise<void>;
  /** Checks the invariants, without the key and without changing anything. Empty when all is well. */
  doctor(): Promise<Finding[]>;
  /** Does what the findings say, under the lease. Returns what was repaired. Throws `LEASE_HELD`, `KEY_WRONG`. */
  repair(options: { readonly holder: LeaseHolder; readonly key?: StackKey }): Promise<Finding[]>;
  /**
   * Seals the state under a new key, or drops its secrets where the old one is lost. Afterwards the old key opens nothing
   * of it; a kill in between leaves a state that the old or the new key opens, and doing it again ends it.
   * Throws `LEASE_HELD`, `KEY_WRONG`, and `STORE_UNAVAILABLE` while outcomes wait in an emergency file.
   */
  rekey(request: RekeyRequest): Promise<void>;
  /** Where records of the upstream system lie in this place; undefined where there are none. */
  findUpstreamRecords(): Promise<string | undefined>;
  /** Bytes that the state takes, where the place tells. */
  size(): Promise<number | undefined>;
}
