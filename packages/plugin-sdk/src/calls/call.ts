import type { LiveObject } from "@wfctl/contract";
import type { JsonObject } from "@wfctl/model";

/** Who calls and how: the same for an rpc of its own and for a request of a session. */
export interface Caller {
  readonly instance: string;
  readonly run: string;
  readonly clientToken: string;
  readonly owner: string;
  /** As it is at this moment: a host may change it while the call is open. */
  readonly priority: number;
  /** Milliseconds since the epoch; undefined where the host sets none. */
  readonly deadline: number | undefined;
  /** Aborts when the host cancels the call. */
  readonly signal: AbortSignal;
  /** The host sent our metadata: it reads our trailers and keeps inputs itself. */
  readonly extended: boolean;
  /** `limited`: what is waited for is the provider's own rate limit. */
  onProgress(message: string, waiting: boolean, limited?: boolean): void;
}

/** What is known of the object when a diff is asked. */
export interface Current {
  readonly providerId: string;
  readonly outputs: JsonObject;
  readonly inputs: JsonObject | undefined;
}

/** An object as it goes over the wire, and its tags. */
export type ReportedObject = LiveObject & { readonly tags: readonly string[] };
