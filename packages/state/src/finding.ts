/** Which invariant a finding is about. */
export type CheckName =
  | "integrity"
  | "record"
  | "record-count"
  | "replay"
  | "provider-config"
  | "serial"
  | "run"
  | "journal"
  | "outcome-twice"
  | "outcome-range"
  | "outcome-missing"
  | "unknown"
  | "hook"
  | "meta"
  | "segment"
  | "snapshot"
  | "emergency";

/** One broken invariant. */
export interface Finding {
  readonly check: CheckName;
  readonly severity: "error" | "warning";
  /** What is wrong and where, one sentence without a final period. */
  readonly problem: string;
  /** What `repair` would do; undefined where it cannot help. */
  readonly repair?: string;
}
