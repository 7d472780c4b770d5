import type { LeaseHolder } from "@wfctl/engine";
import type { OpenRun } from "../admission.ts";
import type { LeaseTimes } from "../lease/lease-view.ts";
import type { Retention } from "../retention.ts";
import type { PlainError } from "./errors.ts";
import type { CommitRows } from "./rows.ts";

/** What the worker is started with. */
export interface WorkerOptions extends LeaseTimes {
  readonly path: string;
  readonly retention: Retention;
}

/** What the worker can be asked. One answer per request, in order. */
export interface WorkerCalls {
  readonly acquire: { readonly ask: { readonly holder: LeaseHolder }; readonly reply: AcquireReply };
  readonly commit: {
    readonly ask: { readonly fence: number; readonly commits: readonly CommitRows[] };
    readonly reply: readonly number[];
  };
  readonly release: { readonly ask: { readonly fence: number }; readonly reply: undefined };
  readonly compact: { readonly ask: { readonly fence: number }; readonly reply: undefined };
  readonly close: { readonly ask: Record<string, never>; readonly reply: undefined };
}

export interface AcquireReply {
  readonly fence: number;
  readonly open: Map<string, OpenRun>;
}

export type WorkerRequest = {
  readonly [name in keyof WorkerCalls]: { readonly id: number; readonly call: name } & WorkerCalls[name]["ask"];
}[keyof WorkerCalls];

export type WorkerMessage =
  | { readonly id: number; readonly reply: unknown }
  | { readonly id: number; readonly error: PlainError }
  /** The heartbeat found the lease gone. */
  | { readonly lost: number; readonly error: PlainError };
