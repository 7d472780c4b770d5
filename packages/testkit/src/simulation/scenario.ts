import type { OnFailure } from "@wfctl/model";

/** One wanted resource of a scenario. */
export interface SimResource {
  readonly name: string;
  readonly type: SimType;
  /** Resources that it refers to by id. */
  readonly uses: readonly string[];
  /** Resources whose revision it copies: it changes with them. */
  readonly follows: readonly string[];
  /** Resources that it only waits for. */
  readonly waitsFor: readonly string[];
  readonly count: number;
  readonly region: string;
  /** Set: replaced create-first, or delete-first where the type would do otherwise. */
  readonly replace?: "create-first" | "delete-first";
  /** A secret of its own in the configuration, and the password of what it uses. */
  readonly secret: boolean;
  readonly isProtected: boolean;
  /**
   * `adopt` takes over an object that others made, `existing` reads one that is never to be written, `retain` leaves its
   * object behind when it goes.
   */
  readonly keeps?: "adopt" | "existing" | "retain";
}

/**
 * Types: `conv` and `first` (create-first) are ours with everything; `look` has lookup and no convergent create, `mark` has unique names alone; `late` has
 * deferred work; `plain` and `slack` (deferred work) are of the upstream-like plugin.
 */
export const simTypes = ["conv", "first", "look", "late", "mark", "plain", "slack"] as const;
export type SimType = (typeof simTypes)[number];

export function moduleOf(type: SimType): "cloud" | "old" {
  return type === "plain" || type === "slack" ? "old" : "cloud";
}

/** One command, with what goes wrong meanwhile. */
export interface SimStep {
  readonly command: "apply" | "destroy";
  readonly resources: readonly SimResource[];
  readonly onFailure: OnFailure;
  readonly refresh: boolean;
  /** What other people do before it, by resource name. */
  readonly outside: readonly { readonly name: string; readonly does: "edit" | "delete" }[];
  /** Points at which hosts die: of the first host, of the one that comes after it, and so on. */
  readonly crashes: readonly SimCrash[];
  /** Points after which the user interrupts the last host. */
  readonly interruptAfter?: number;
  /** Share of the calls with a fault. */
  readonly faultShare: number;
  /** The write of the store that fails, counted over the step. */
  readonly refusedWrite?: number;
  readonly parallelism?: number;
}

export interface SimCrash {
  readonly after: number;
  /** Set: only the ends of waits are counted. @default every point */
  readonly at?: "sleep";
  /** Commits that survive the death. */
  readonly keep: number;
  readonly elsewhere: boolean;
  /** Until the next host begins. */
  readonly pauseMs: number;
  /** Set: the host is stopped, not killed, and continued so many milliseconds after the next one may begin. */
  readonly wakesAfterMs?: number;
}

export interface SimCloud {
  /** Longest time that searches miss a fresh object, in milliseconds. */
  readonly lagMs: number;
  readonly deleteMs: number;
  readonly readyMs: number;
  /** Longest latency of a call. */
  readonly latencyMs: number;
  /** Longest latency of a write of the store. */
  readonly writeMs: number;
}

/** All that decides how a simulation runs. Plain data: it can be cut down and printed. */
export interface Scenario {
  readonly seed: number;
  readonly cloud: SimCloud;
  /** Somebody listens to effects, and fails in this share of the calls. */
  readonly hookFaultShare?: number;
  readonly steps: readonly SimStep[];
}
