import type { JsonObject } from "@wfctl/model";

/** One object in the cloud of the test plugins. */
export interface StoredObject {
  readonly id: string;
  readonly account: string;
  readonly type: string;
  readonly name: string;
  readonly inputs: JsonObject;
  /** Empty where the plugin wrote none. */
  readonly owner: string;
  readonly token: string;
  readonly state: "ready" | "partial";
  /** Counts the changes, from 1. */
  readonly revision: number;
  readonly finalized: boolean;
}

export interface StoreRequest {
  readonly account: string;
  readonly type: string;
  readonly name: string;
  readonly inputs: JsonObject;
  readonly owner?: string;
  readonly token?: string;
  readonly partial?: boolean;
}

/** What the plugins do to their cloud. Every call is one atomic step, whoever else works on the same cloud. */
export interface PluginCloud {
  /** A known token gives the object it made; a partial one is completed. */
  create(request: StoreRequest): { readonly object: StoredObject; readonly fresh: boolean };
  get(account: string, id: string): StoredObject | undefined;
  /** The oldest of this name. */
  findByName(account: string, type: string, name: string): StoredObject | undefined;
  findByToken(account: string, type: string, token: string): StoredObject | undefined;
  update(account: string, id: string, inputs: JsonObject): StoredObject | undefined;
  /** False where nothing was there. */
  delete(account: string, id: string): boolean;
  list(account: string): readonly StoredObject[];
  finalize(account: string, ids: readonly string[]): void;
  /** Lets a create or update happen that many milliseconds from now, whatever becomes of this process. */
  later(delayMs: number, work: PendingWork): void;
  /** Counts the calls of this operation on this resource over all processes, from 1. */
  countCall(call: PluginCall): number;
  close(): void;
}

export type PendingWork =
  | { readonly kind: "create"; readonly request: StoreRequest }
  | { readonly kind: "update"; readonly account: string; readonly id: string; readonly inputs: JsonObject }
  | { readonly kind: "delete"; readonly account: string; readonly id: string };

export interface PluginCall {
  readonly operation: "create" | "read" | "update" | "delete" | "diff" | "lookup" | "finalize";
  readonly type: string;
  readonly name: string;
  readonly providerId: string;
  readonly token: string;
  readonly run: string;
}
