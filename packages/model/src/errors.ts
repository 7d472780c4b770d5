/**
 * Every code an outcome, a diagnostic or a thrown `WfctlError` can carry.
 * `docs/errors.md` lists them with what to do; a test holds the two equal.
 */
export const errorCodes = {
  // outcomes: skipped
  CANCELLED: "the run was cancelled before the action was sent",
  INTERRUPTED: "an earlier process died before the action was sent, or while it was in flight",
  GATE_REFUSED: "a gate hook refused the action",
  PROTECTED: "the resource is protected",
  DEPENDENCY_FAILED: "something the action depends on did not succeed",
  REFERENCE_UNRESOLVED: "a reference has no value",
  NO_DRIVER: "the provider has no driver for the resource type",
  RUN_STOPPED: "the run stopped before the action was sent",
  // outcomes: errors by provider class
  VALIDATION: "the provider refused the input",
  UNAUTHORIZED: "the provider did not accept the credentials",
  FORBIDDEN: "the credentials may not do this",
  IMAGE_MISSING: "an image tag or digest is not in its registry",
  ALREADY_EXISTS: "an object of this name exists already",
  NOT_FOUND: "the object does not exist any more",
  RATE_LIMITED: "the provider's API is throttling, and the call is not tried again",
  TRANSIENT: "the provider's API is failing, and the call is not tried again",
  UNSUPPORTED: "the provider does not implement the call",
  PROVIDER_ERROR: "the provider failed with an error of no known class",
  // outcomes: the host's own
  OUTCOME_UNKNOWN: "the call ended without an answer and the resolver found no certainty",
  INCOMPLETE: "the object exists but does not have the intended shape",
  NOT_APPLIED: "the call ended without effect",
  BAD_RESULT: "the provider's answer breaks the contract",
  PLAN_OUTDATED: "the object changed since the plan was shown",
  HOOK_FAILED: "a hook after the action failed",
  OUTCOME_UNRECORDED: "the effect happened but the store refused the outcome",
  UNDO_FAILED: "the undo of an action failed",
  OTHER_ACCOUNT: "the provider now answers for another account",
  // plugins
  PLUGIN_NOT_FOUND: "no installed plugin serves the provider",
  PLUGIN_MANIFEST: "plugin.json does not validate",
  PLUGIN_VERSION: "the plugin does not declare compute_plan_version v2",
  PLUGIN_ENGINE: "the plugin needs a newer engine",
  PLUGIN_START: "the plugin process did not start as one",
  PLUGIN_HANDSHAKE: "the plugin's first line is no handshake",
  PLUGIN_TIMEOUT: "the plugin did not answer in time",
  PLUGIN_SERVICE: "the plugin does not serve what it must or says it does",
  PLUGIN_EXITED: "the plugin process ended while it was in use",
  PLUGIN_REPLY: "the plugin's reply cannot be read",
  PLUGIN_INITIALIZE: "the provider refused its configuration",
  PLUGIN_LOCK: "the plugin is not the one that was accepted",
  PLUGIN_PACKAGE: "what should be installed is no plugin, or cannot be had",
  // configuration and plan
  CONFIG_INVALID: "the configuration has errors",
  CONFIG_NOT_FOUND: "there is no stack file",
  ENVIRONMENT_UNKNOWN: "the environment is not in the configuration",
  CYCLE: "resources depend on each other in a circle",
  PLAN_STALE: "the saved plan no longer fits",
  PLAN_INVALID: "the saved plan cannot be read or is not ours",
  CONFIRMATION_REQUIRED: "the command needs a yes and has no one to ask",
  USAGE: "the command line is wrong",
  // store
  LEASE_HELD: "another run holds the lease of the stack",
  LEASE_LOST: "the lease of the stack was taken over",
  STORE_UNAVAILABLE: "the store cannot be reached or written",
  STORE_CORRUPT: "the store's content breaks its invariants",
  STORE_VERSION: "the store was written by another format version",
  STATE_FOREIGN: "records of the upstream system were found beside an empty stack",
  IMPORT_INVALID: "the state to import cannot be read, or is of another format",
  STATE_NEW: "a new state directory would be made",
  KEY_REQUIRED: "a key is needed and none is configured",
  KEY_WRONG: "the key does not open this state",
  RESOURCE_UNKNOWN: "no such resource in the state",
  RUN_UNKNOWN: "no such run in the journal",
  INTERNAL: "a defect of wfctl",
} as const;
export type ErrorCode = keyof typeof errorCodes;

/** Source of a problem in the user's files. Lines and columns count from 1. */
export interface SourceLocation {
  readonly file: string;
  readonly line?: number;
  readonly column?: number;
}

/** What is wrong with the user's input. Data, never thrown one by one: a command lists all of them. */
export interface Diagnostic {
  readonly severity: "error" | "warning";
  readonly code: ErrorCode;
  /** What was found and what was expected, one sentence without a final period. */
  readonly summary: string;
  /** What to do. */
  readonly hint?: string;
  /** Resource or module name. */
  readonly address?: string;
  /** JSON pointer inside the address. */
  readonly path?: string;
  readonly source?: SourceLocation;
}

/** An operation that could not be done. `hint` says what to do next. */
export class WfctlError extends Error {
  readonly code: ErrorCode;
  readonly hint: string | undefined;
  readonly address: string | undefined;
  readonly diagnostics: readonly Diagnostic[];

  constructor(
    code: ErrorCode,
    message: string,
    options: { hint?: string; address?: string; cause?: unknown; diagnostics?: readonly Diagnostic[] } = {},
  ) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = "WfctlError";
    this.code = code;
    this.hint = options.hint;
    this.address = options.address;
    this.diagnostics = options.diagnostics ?? [];
  }

  /** The one conversion of anything thrown: a `WfctlError` stays, all else becomes `code` with the thing as cause. */
  static from(thrown: unknown, code: ErrorCode = "INTERNAL"): WfctlError {
    if (thrown instanceof WfctlError) return thrown;
    const message = thrown instanceof Error ? thrown.message : String(thrown);
    return new WfctlError(code, message, { cause: thrown });
  }
}

/**
 * How a provider call failed.
 * The first seven are *definite*: the call changed nothing (or, for not-found on delete, nothing is left).
 * The rest say nothing about what happened in the cloud.
 */
export const definiteClasses = [
  "validation",
  "unauthorized",
  "forbidden",
  "image_missing",
  "already_exists",
  "not_found",
  "unsupported",
] as const;
export const ambiguousClasses = [
  "rate_limited",
  "transient",
  "unknown",
  "deadline",
  "cancelled",
  "plugin_exit",
  "bad_reply",
] as const;
export type ProviderErrorClass = (typeof definiteClasses)[number] | (typeof ambiguousClasses)[number];

/** A failed provider call. Thrown by implementations of the engine's `Provider`. */
export class ProviderError extends Error {
  readonly class: ProviderErrorClass;
  /** True where the provider answered (an error status arrived); false where the answer was lost with the call. */
  readonly answered: boolean;
  /** Milliseconds after which a retry makes sense, where the provider said so. */
  readonly retryAfterMs: number | undefined;
  /** What the call had already made when it failed, where the provider says so. */
  readonly partial: { readonly providerId: string; readonly outputs: import("./json.ts").JsonObject } | undefined;

  constructor(
    errorClass: ProviderErrorClass,
    message: string,
    options: {
      answered?: boolean;
      retryAfterMs?: number;
      partial?: { providerId: string; outputs: import("./json.ts").JsonObject };
      cause?: unknown;
    } = {},
  ) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = "ProviderError";
    this.class = errorClass;
    this.answered = options.answered ?? true;
    this.retryAfterMs = options.retryAfterMs;
    this.partial = options.partial;
  }

  get definite(): boolean {
    return (definiteClasses as readonly string[]).includes(this.class);
  }
}
