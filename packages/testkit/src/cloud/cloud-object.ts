import type { JsonObject } from "@wfctl/model";

/** One thing in the fake cloud. */
export interface CloudObject {
  readonly id: string;
  readonly account: string;
  readonly name: string;
  readonly type: string;
  inputs: JsonObject;
  owner: string | undefined;
  readonly token: string | undefined;
  readonly createdAtMs: number;
  changedAtMs: number;
  /** `partial`: made, but work on it stopped in the middle. */
  state: "ready" | "creating" | "partial" | "deleting";
  /** Counts the changes; part of the outputs, so that consumers see updates. */
  revision: number;
  /** A finalizer has done the deferred work for the present revision. */
  finalized: boolean;
}

/** What changed in the cloud, in order. */
export interface CloudEffect {
  readonly order: number;
  readonly atMs: number;
  readonly kind: "created" | "completed" | "updated" | "deleting" | "deleted" | "finalized";
  /** Somebody else than the provider under test did it. */
  readonly external: boolean;
  readonly account: string;
  readonly id: string;
  readonly name: string;
  readonly type: string;
  readonly token?: string;
  /** Inputs after a create or update. */
  readonly inputs?: JsonObject;
}
