import type { JsonObject } from "@wfctl/model";

/** One object that the suite may make, change and remove. */
export interface Sample {
  readonly type: string;
  /** Beginning of the names of what is made; what follows makes each unique. */
  readonly name: string;
  readonly config: JsonObject;
  /** Another whole configuration, reached by an update in place. */
  readonly change: JsonObject | undefined;
  /** Another whole configuration, reached only by a new object. */
  readonly replace: JsonObject | undefined;
  /** A configuration that the provider refuses before it makes anything. */
  readonly invalid: JsonObject | undefined;
  /** A configuration whose create makes something and then fails. */
  readonly failing: JsonObject | undefined;
  /** A configuration whose create waits for at least half a minute unless it is stopped. */
  readonly slow: JsonObject | undefined;
  /** Longest time of a create, update or delete, in milliseconds. */
  readonly timeoutMs: number;
}
