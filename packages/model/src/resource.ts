import type { SourceLocation } from "./errors.ts";
import type { JsonObject } from "./json.ts";
import type { Value } from "./expression.ts";

/** Abstract size tiers that a provider resolves; any other size text is the vendor's own and passes through. */
export const sizeTiers = ["xs", "s", "m", "l", "xl"] as const;

export interface ResourceHints {
  readonly cpu?: string;
  readonly memory?: string;
  readonly storage?: string;
}

/** `lifecycle:` of a resource. */
export interface LifecycleOptions {
  /** Dotted config paths whose differences are not acted on. */
  readonly ignoreChanges?: readonly string[];
  readonly replace?: "create-first" | "delete-first";
  /** Removing the resource from the configuration forgets it instead of deleting it. */
  readonly retain?: boolean;
}

/** Per-resource deadlines in milliseconds; absent ones fall to the type's, then to the engine's defaults. */
export interface Timeouts {
  readonly create?: number;
  readonly read?: number;
  readonly update?: number;
  readonly delete?: number;
}

/** What the configuration wants of one resource. References are still symbolic in `config`. */
export interface DesiredResource {
  readonly name: string;
  readonly type: string;
  /** Name of the `iac.provider` module. */
  readonly provider: string;
  /** An object tree with expressions. Holds upstream's reserved keys (provider, size, depends_on, …) as written. */
  readonly config: { readonly [key: string]: Value };
  readonly size?: string;
  readonly hints?: ResourceHints;
  /** `depends_on` and `dependsOn`, joined. References in `config` add edges of their own. */
  readonly dependsOn: readonly string[];
  readonly protected: boolean;
  readonly lifecycle: LifecycleOptions;
  readonly timeouts: Timeouts;
  /** Take over an object of this name when it exists. */
  readonly adoptExisting: boolean;
  /** Read only: never written, gives outputs. */
  readonly existing: boolean;
  readonly source?: SourceLocation;
}

/** An `import:` entry: an object that exists already is recorded as this resource. */
export interface ImportRequest {
  /** Name of the resource. */
  readonly to: string;
  /** The object's id, as the provider or its users write it. */
  readonly id: string;
  readonly source?: SourceLocation;
}

/** An `iac.provider` module. Expressions in `config` may name environment variables only. */
export interface ProviderModule {
  readonly name: string;
  /** Provider name as plugins advertise it, such as `aws`. */
  readonly provider: string;
  readonly config: { readonly [key: string]: Value };
  readonly source?: SourceLocation;
}

/** Why the record's object must be read before the record can be trusted; absent on a clean record. */
export type RecordMark =
  /** An update or replace was sent and has not ended in SUCCESS. */
  | "dirty"
  /** The object is known to be incomplete: the next plan replaces it. */
  | "tainted"
  | "imported"
  | "adopted";

/** An older object of a create-first replace that still waits for its delete. */
export interface DeposedObject {
  readonly providerId: string;
  readonly type: string;
  /** Provider module that made it. */
  readonly provider: string;
  readonly outputs: JsonObject;
  readonly sensitiveOutputs: readonly string[];
  /** Pointers of the inputs that were secret when it was made: its live values there are hidden. Absent: none. */
  readonly sensitiveInputs?: readonly string[];
  readonly dependencies: readonly string[];
  readonly sinceRun: string;
}

/**
 * What state holds of one resource: the last known truth about one object in the cloud.
 * Values named by `sensitiveInputs` and `sensitiveOutputs` are plain in memory and sealed wherever they are stored.
 */
export interface ResourceRecord {
  readonly name: string;
  readonly type: string;
  /** Name of the `iac.provider` module that owns the object. */
  readonly provider: string;
  /** Plugin name (`aws`), plugin version and account identity at the last write. */
  readonly providerName: string;
  readonly providerVersion: string;
  readonly providerIdentity?: string;
  readonly providerId: string;
  readonly size?: string;
  /** The resolved input of the last write that succeeded (or was sent, while `dirty`). Absent on adopted and imported records whose inputs no Read gave. */
  readonly inputs?: JsonObject;
  readonly outputs: JsonObject;
  /** JSON pointers into `inputs`. */
  readonly sensitiveInputs: readonly string[];
  /** Keys of `outputs`. */
  readonly sensitiveOutputs: readonly string[];
  /** Resources this one depends on, as of the last write: the edges that deletes follow. */
  readonly dependencies: readonly string[];
  /** Keyed digest of everything that decides whether the resource is unchanged; empty when unknown. */
  readonly fingerprint: string;
  readonly mark?: RecordMark;
  readonly markReason?: string;
  readonly protected: boolean;
  /** Forget instead of delete when the configuration drops it. */
  readonly retain: boolean;
  /** True where this engine's run is proven to have created the object. */
  readonly createdByUs: boolean;
  readonly deposed: readonly DeposedObject[];
  /** ISO 8601, UTC. */
  readonly createdAt: string;
  readonly updatedAt: string;
  /** When the object was last read from the cloud. */
  readonly readAt?: string;
  /** The record counts as changed from this time on. ISO 8601. */
  readonly revisitAt?: string;
  /** Run that wrote the record last. */
  readonly run: string;
}
