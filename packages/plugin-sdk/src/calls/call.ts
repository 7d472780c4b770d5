import type { JsonObject, ResourceHints } from "@wfctl/model";

/** Who calls and how: the same for an rpc of its own and for a request of a session. */
export interface Caller {
  readonly instance: string;
  readonly run: string;
  readonly clientToken: string;
  readonly owner: string;
  readonly priority: number;
  /** Milliseconds since the epoch; undefined where the host sets none. */
  readonly deadline: number | undefined;
  /** Aborts when the host cancels the call. */
  readonly signal: AbortSignal;
  /** The host sent our metadata: it reads our trailers and keeps inputs itself. */
  readonly extended: boolean;
  onProgress(message: string, waiting: boolean): void;
}

/** A spec as it came over the wire. */
export interface Spec {
  readonly name: string;
  readonly config: JsonObject;
  readonly size: string;
  readonly hints: ResourceHints | undefined;
  readonly dependsOn: readonly string[];
}

export interface Ref {
  readonly name: string;
  readonly providerId: string;
}

/** What is known of the object when a diff is asked. */
export interface Current {
  readonly providerId: string;
  readonly outputs: JsonObject;
  readonly inputs: JsonObject | undefined;
}

/** An object as it goes over the wire. */
export interface ReportedObject {
  readonly name: string;
  readonly type: string;
  readonly providerId: string;
  readonly outputs: JsonObject;
  readonly sensitive: readonly string[];
  readonly status: string;
  readonly inputs: JsonObject | undefined;
  readonly owner: string;
  readonly tags: readonly string[];
  readonly revisitAt: Date | undefined;
  readonly created: boolean | undefined;
}
