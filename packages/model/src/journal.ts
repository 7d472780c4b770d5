import type { ErrorCode } from "./errors.ts";
import type { JsonObject } from "./json.ts";
import type { NodeHalf, OnFailure } from "./plan.ts";
import type { ResourceHints, ResourceRecord } from "./resource.ts";
import type { ActionKind, ActionStatus } from "./status.ts";

/** How one action ended. Written once; only an undo of the run rewrites it. */
export interface Outcome {
  /** Index of the action in the run. */
  readonly action: number;
  readonly status: ActionStatus;
  /** Absent on SUCCESS. */
  readonly code?: ErrorCode;
  /** For people, redacted, absent on SUCCESS. */
  readonly message?: string;
  /** Why it was skipped: the chain from the nearest cause to the first, as resource names. */
  readonly causes?: readonly string[];
  /** Calls sent for it, 0 when none was. */
  readonly attempts: number;
  /** Milliseconds from dispatch to the answer. */
  readonly durationMs: number;
}

/** What the intent does to the cloud. */
export type Operation = "create" | "update" | "delete";

/**
 * Written before anything that changes something is sent; closed by the outcome.
 * Holds all that is needed to find out what happened, and to record it, without the configuration.
 */
export interface Intent {
  readonly run: string;
  readonly action: number;
  readonly half: NodeHalf;
  /** `undo` intents belong to the compensation of the action. */
  readonly phase: "apply" | "undo";
  readonly operation: Operation;
  readonly name: string;
  readonly type: string;
  readonly provider: string;
  readonly providerName: string;
  readonly providerVersion: string;
  readonly providerIdentity?: string;
  /** Resolved input of create and update; plain in memory, sealed in the store where `sensitiveInputs` says so. */
  readonly inputs?: JsonObject;
  readonly sensitiveInputs: readonly string[];
  readonly size?: string;
  readonly hints?: ResourceHints;
  /** Object that update and delete act on. */
  readonly providerId?: string;
  /** The record before the action; absent where there was none. The before-image of the undo. */
  readonly before?: ResourceRecord;
  /** Live inputs that the Read just before the update gave, laid over the recorded ones by an undo. */
  readonly liveInputs?: JsonObject;
  /** The record as it will stand if the effect is confirmed, less provider id and outputs. */
  readonly after?: Omit<ResourceRecord, "providerId" | "outputs" | "sensitiveOutputs">;
  /** Same for all attempts of one action half. */
  readonly clientToken: string;
  readonly attempt: number;
  /** ISO 8601, UTC. */
  readonly sentAt: string;
  /** ISO 8601, UTC: the call can have no effect that began after it. */
  readonly deadlineAt: string;
  /** What a Read by name made just before a create said; absent where none was made. */
  readonly priorRead?: "absent" | "present" | "failed";
  /** For a delete of one deposed object. */
  readonly deposed?: string;
}

export interface RunAction {
  readonly index: number;
  readonly kind: ActionKind;
  readonly name: string;
  readonly type: string;
  readonly provider: string;
}

export interface RunHeader {
  readonly id: string;
  readonly command: "apply" | "destroy" | "compensate" | "recover" | "import" | "state";
  readonly planId: string;
  readonly planDigest: string;
  readonly onFailure: OnFailure;
  readonly actions: readonly RunAction[];
  /** ISO 8601, UTC. */
  readonly startedAt: string;
  readonly user: string;
  readonly host: string;
  /** Fencing token of the lease it ran under. */
  readonly fence: number;
  readonly engineVersion: string;
  /** For `compensate`: the closed run that this one undoes. Its own outcomes tell of the undo, those of the other run are rewritten. */
  readonly undoes?: string;
}

export const runEnds = [
  "succeeded",
  "failed",
  "interrupted",
  "compensated",
  "compensation_failed",
  "recovered",
] as const;
export type RunEnd = (typeof runEnds)[number];

/** A plugin process that a run has started, exact enough to be found and killed by the next holder on the same machine. */
export interface PluginProcess {
  readonly provider: string;
  readonly plugin: string;
  readonly version: string;
  readonly pid: number;
  /** Start time in clock ticks since boot (field 22 of /proc/PID/stat) on Linux, else a text of the system's own. */
  readonly startTime: string;
  readonly bootId: string;
  readonly pidNamespace: string;
  /** What its `Capabilities` answered as `compute_plan_version`; absent where it tells only once it is configured. */
  readonly computePlanVersion?: string;
}

/**
 * The unit of the journal. A store makes a list of events durable at once or not at all.
 * `serial` of the stack grows by one per transaction that holds a `record`, `outcome` with a record change, or `forgotten`.
 */
export type JournalEvent =
  | { readonly kind: "run-started"; readonly run: RunHeader }
  | { readonly kind: "plugin-started"; readonly run: string; readonly process: PluginProcess }
  | { readonly kind: "provider-config"; readonly provider: string; readonly name: string; readonly config: JsonObject }
  | { readonly kind: "intent"; readonly intent: Intent; readonly record?: ResourceRecord }
  /** The answer proved that nothing was changed and the action will be tried again: the intent closes without an outcome. */
  | {
      readonly kind: "intent-closed";
      readonly run: string;
      readonly action: number;
      readonly half: NodeHalf;
      readonly phase: "apply" | "undo";
      readonly record?: RecordChange;
    }
  /** Recovery found no certainty: the intent stays open, its resource is `unknown`. */
  | {
      readonly kind: "intent-unknown";
      readonly run: string;
      readonly action: number;
      readonly half: NodeHalf;
      readonly phase: "apply" | "undo";
      readonly why: string;
    }
  /** First half of a replace is done, or an effect whose hooks are owed: the record is durable, the outcome still open. */
  | {
      readonly kind: "half";
      readonly run: string;
      readonly action: number;
      readonly half: NodeHalf;
      readonly record: RecordChange;
      readonly hooksOwed?: boolean;
    }
  /** Closes the action's open intents. */
  | {
      readonly kind: "outcome";
      readonly run: string;
      readonly outcome: Outcome;
      readonly record?: RecordChange;
      readonly keepIntents?: boolean;
    }
  | { readonly kind: "hooks-done"; readonly run: string; readonly action: number }
  /** A record written outside an action: refresh, import, resolve, untaint, undo. */
  | { readonly kind: "record"; readonly run: string; readonly record: RecordChange }
  | { readonly kind: "finalize-owed"; readonly run: string; readonly provider: string }
  | {
      readonly kind: "finalize-done";
      readonly run: string;
      readonly provider: string;
      readonly errors: readonly string[];
    }
  /** The first call of the clean-up phase follows: the run is not undone from here on. */
  | { readonly kind: "cleanup-started"; readonly run: string }
  | {
      readonly kind: "undo-started";
      readonly run: string;
      readonly actions: readonly number[];
      readonly skip: readonly string[];
    }
  | {
      readonly kind: "run-closed";
      readonly run: string;
      readonly end: RunEnd;
      readonly at: string;
      readonly error?: string;
    };

export type RecordChange = { readonly put: ResourceRecord } | { readonly remove: string };

/** A run as the journal tells it. */
export interface RunState {
  readonly header: RunHeader;
  readonly openIntents: readonly Intent[];
  readonly unknownIntents: readonly { readonly intent: Intent; readonly why: string }[];
  /** Outcomes by action index. */
  readonly outcomes: ReadonlyMap<number, Outcome>;
  /** Actions whose effect is durable and whose hooks have not been reported done. */
  readonly hooksOwed: readonly number[];
  /** Halves that are done, as `action:half`. */
  readonly halvesDone: readonly string[];
  /** Before-images: the intents of the apply phase that were sent, by action, in order. */
  readonly sentIntents: readonly Intent[];
  readonly finalizeOwed: readonly string[];
  readonly finalizeErrors: readonly string[];
  readonly plugins: readonly PluginProcess[];
  readonly cleanupStarted: boolean;
  readonly undo?: { readonly actions: readonly number[]; readonly skip: readonly string[] };
  readonly closed?: { readonly end: RunEnd; readonly at: string; readonly error?: string };
  /** Serial right after the last event of the run that changed a record. */
  readonly lastSerial: number;
}

/** An effect is durable, and the hook after it has not been reported done. */
export interface OwedHook {
  readonly run: string;
  readonly action: number;
  /** Of the resource. */
  readonly name: string;
}

/** State of a stack at one commit. */
export interface StackState {
  readonly lineage: string;
  readonly serial: number;
  readonly records: ReadonlyMap<string, ResourceRecord>;
  /** Runs that are not closed, oldest first. */
  readonly openRuns: readonly RunState[];
  /** Intents of closed runs whose end is still not known, by resource name. */
  readonly unknown: ReadonlyMap<string, { readonly intent: Intent; readonly why: string }>;
  /** Finalizers still owed by closed runs: provider modules. */
  readonly finalizeOwed: readonly string[];
  /** Hooks that closed runs still owe, oldest first: whoever takes the lease next calls them. */
  readonly hooksOwed: readonly OwedHook[];
  /** Last configuration of each provider module that owns a record. */
  readonly providerConfigs: ReadonlyMap<string, { readonly name: string; readonly config: JsonObject }>;
}
