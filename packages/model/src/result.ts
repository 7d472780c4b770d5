import type { Outcome } from "./journal.ts";
import type { JsonObject } from "./json.ts";

/** An entry of `ApplyResult.errors`; `<plan-finalize>`/`finalize` for the finalizer. */
export interface ActionError {
  readonly resource: string;
  readonly action: string;
  readonly error: string;
}

export interface ResourceOutput {
  readonly name: string;
  readonly type: string;
  readonly providerId: string;
  readonly outputs: JsonObject;
  /** Keys of `outputs` that hold secrets. */
  readonly sensitive: readonly string[];
  readonly status: string;
}

export interface DriftEntry {
  readonly name: string;
  readonly planFingerprint: string;
  readonly applyFingerprint: string;
}

/** Wire form of one action's end: `action_index` 1, `status` 2, `error` 3. */
export interface ActionResult {
  readonly actionIndex: number;
  readonly status: Outcome["status"];
  readonly error: string;
}

/** The engine's record of a run. What a run stores, a worker sends and `--json` prints. */
export interface ApplyResult {
  readonly planId: string;
  readonly resources: readonly ResourceOutput[];
  readonly errors: readonly ActionError[];
  readonly initialInputSnapshot: Readonly<Record<string, string>>;
  readonly inputDriftReport: readonly DriftEntry[];
  readonly replaceIdMap: Readonly<Record<string, string>>;
  /** One per planned action, in plan order. */
  readonly actions: readonly ActionResult[];
}
