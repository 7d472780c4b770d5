import type { LiveObject } from "@wfctl/engine";
import type { ProviderErrorClass } from "@wfctl/model";

export type CallOperation = "create" | "read" | "update" | "delete" | "diff" | "lookup" | "finalize" | "sizing";

/** One call as the fault source sees it. */
export interface ProviderCall {
  readonly provider: string;
  readonly operation: CallOperation;
  readonly type: string;
  readonly name: string;
  /** Counts the calls of this operation on this resource, from 1. */
  readonly nth: number;
}

/** What goes wrong, or only takes long, in one call. */
export interface Fault {
  /** Before the effect, in milliseconds. @default the provider's latency */
  readonly beforeMs?: number;
  /** Between effect and answer, in milliseconds. @default 0 */
  readonly afterMs?: number;
  /**
   * - `refused`: no effect, the error is the answer.
   * - `lost`: the effect happens, the error stands for the answer.
   * - `late`: the error comes first, the effect `lateMs` later: the request was still on its way.
   * - `partial`: a create leaves an incomplete object, an update changes nothing; then the error.
   * - `crash`: the plugin process dies before the effect, after it, or with the effect still on its way (`late`).
   * - `hang`: no effect, no answer.
   * - `reply`: the answer is spoiled.
   */
  readonly goes?:
    | {
        readonly wrong: "refused" | "lost" | "partial";
        readonly class: ProviderErrorClass;
        readonly message?: string;
        readonly answered?: boolean;
        readonly retryAfterMs?: number;
      }
    | { readonly wrong: "late"; readonly class: ProviderErrorClass; readonly lateMs: number }
    | { readonly wrong: "crash"; readonly when: "before" | "after" }
    | { readonly wrong: "crash"; readonly when: "late"; readonly lateMs: number }
    | { readonly wrong: "hang" }
    | { readonly wrong: "reply"; readonly change: (live: LiveObject) => LiveObject };
}

/** Asked once per call; undefined lets it go well. */
export type FaultSource = (call: ProviderCall) => Fault | undefined;

export interface ScriptedFault {
  readonly operation: CallOperation;
  /** @default every name */
  readonly name?: string;
  /** @default every call */
  readonly nth?: number;
  readonly fault: Fault;
}

/** The first entry that fits decides. */
export function scriptFaults(entries: readonly ScriptedFault[]): FaultSource {
  return (call) =>
    entries.find(
      (entry) =>
        entry.operation === call.operation &&
        (entry.name === undefined || entry.name === call.name) &&
        (entry.nth === undefined || entry.nth === call.nth),
    )?.fault;
}
