import type { ErrorCode } from "./errors.ts";
import type { Json, JsonObject } from "./json.ts";
import type { DesiredResource } from "./resource.ts";
import type { ActionKind } from "./status.ts";

/** One difference between what is and what is wanted. `unknown` stands for a value known only after apply. */
export interface FieldChange {
  /** Dotted path as the provider names it. */
  readonly path: string;
  readonly old?: Json;
  readonly new?: Json;
  readonly forceNew: boolean;
  /** Neither value may be shown. */
  readonly sensitive?: boolean;
  /** The new value depends on an output that is known only after another action. */
  readonly unknown?: boolean;
}

/** A value of the configuration that is known only after another action of the run, which settles it. */
export interface DeferredValue {
  /** Dotted path in the config. */
  readonly path: string;
  /** The reference that has no value yet, or may get another one: `db.host`. */
  readonly waitsFor: string;
  /** For people. */
  readonly why: string;
}

export type Reversibility =
  | { readonly undo: "yes"; readonly how: string }
  | { readonly undo: "unknown"; readonly why: string }
  | { readonly undo: "no"; readonly why: string };

export type ReplaceMode = "delete-first" | "create-first";

/** One planned action: one outcome. A replace is one action with two nodes in the graph. */
export interface PlanAction {
  /** Position in `Plan.actions`; the key of its outcome. */
  readonly index: number;
  readonly kind: ActionKind;
  readonly name: string;
  readonly type: string;
  /** Provider module that acts. */
  readonly provider: string;
  /** What the configuration wants; absent on delete and forget. References are symbolic. */
  readonly desired?: DesiredResource;
  /** Values that sizing added to the config before planning. */
  readonly sizing?: JsonObject;
  /** The object acted on; absent on create. */
  readonly prior?: {
    readonly providerId: string;
    readonly type: string;
    readonly provider: string;
    /** `updatedAt` of the record the plan was made from. */
    readonly updatedAt: string;
  };
  /** Set on an import: the provider's id of the object. */
  readonly importId?: string;
  /** Set on a delete that removes one deposed object and not the resource: its provider id. */
  readonly deposed?: string;
  readonly changes: readonly FieldChange[];
  /** Why there is an action at all, for people, most important first. */
  readonly reasons: readonly string[];
  readonly replaceMode?: ReplaceMode;
  /** Send the update even when the diff is quiet: a finalizer is owed and the provider's memory may be empty. */
  readonly force?: boolean;
  readonly undo: Reversibility;
  /** Indexes of the actions that must succeed first. Derived from the nodes; for display and reports. */
  readonly after: readonly number[];
  /** Values of the config that are known only after other actions, as JSON pointers. */
  readonly unknown: readonly string[];
  /** What cannot be known yet, each with its reason. Absent: everything is known. */
  readonly deferred?: readonly DeferredValue[];
}

/** Half of an action: what the scheduler runs. `main` for all but replaces. */
export type NodeHalf = "main" | "create" | "delete";

export interface PlanNode {
  readonly action: number;
  readonly half: NodeHalf;
  /** Nodes that must be done before, as indexes into `Plan.nodes`. */
  readonly after: readonly number[];
  /** The clean-up phase: behind the barrier under `stop` and `compensate`. */
  readonly cleanup: boolean;
}

export interface PlannedProvider {
  readonly module: string;
  readonly name: string;
  readonly version: string;
  readonly identity?: string;
  readonly schemaDigest: string;
}

/** What is not acted on although it is not as wanted, with the reason. */
export interface PlanNote {
  readonly name: string;
  readonly code:
    | ErrorCode
    | "RENAME"
    | "UNKNOWN_RESOURCE"
    | "DEFERRED"
    | "IGNORED"
    | "EXCLUDED"
    | "FALLBACK"
    | "PROTECTED"
    | "RETAINED";
  readonly text: string;
}

export const onFailurePolicies = ["continue", "stop", "compensate"] as const;
export type OnFailure = (typeof onFailurePolicies)[number];

/**
 * What a run will do, whole: the displayed plan is what runs.
 * Bound by `digest` to the stack's lineage and serial, the configuration, and the providers' versions and identities.
 */
export interface Plan {
  readonly id: string;
  /** ISO 8601, UTC. */
  readonly createdAt: string;
  readonly command: "apply" | "destroy";
  readonly stack: { readonly name: string; readonly environment: string; readonly lineage: string };
  /** Serial of the state that the plan was made from. */
  readonly serial: number;
  /** Keyed digest of the desired resources. */
  readonly configDigest: string;
  readonly providers: readonly PlannedProvider[];
  readonly actions: readonly PlanAction[];
  readonly nodes: readonly PlanNode[];
  readonly onFailure: OnFailure;
  readonly notes: readonly PlanNote[];
  /** Resources that are as wanted. */
  readonly unchanged: number;
  /** When the cloud was last read for the records that the plan trusts: the oldest and newest `readAt`. */
  readonly readAt?: { readonly oldest: string; readonly newest: string };
  /** Keyed digest over all of the above but `id` and `createdAt`. */
  readonly digest: string;
}
