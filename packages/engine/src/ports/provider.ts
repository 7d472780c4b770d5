import type { JsonObject, ResourceHints, FieldChange } from "@wfctl/model";

/** What the host knows of one resource type. Plugins of upstream's kind give no traits: all defaults. */
export interface TypeTraits {
  /** Creating the new object before the old one is deleted works. @default false */
  readonly createFirst?: boolean;
  /** Sending Create again with the same client token gives the same object. @default false */
  readonly convergentCreate?: boolean;
  /** `Lookup` finds the object that a client token made. @default false */
  readonly lookup?: boolean;
  /** An update can be undone by an update to the inputs before. @default true */
  readonly reversibleUpdate?: boolean;
  /** Dotted input paths that Read does not give back, so that an undo cannot restore them. */
  readonly writeOnly?: readonly string[];
  /** Dotted input paths whose value is secret. */
  readonly sensitiveInputs?: readonly string[];
  /** Output keys that are secret; each reply's own map adds to it. */
  readonly sensitiveOutputs?: readonly string[];
  /** Dotted input paths whose change replaces the object. */
  readonly forceNew?: readonly string[];
  /** How long after a lost create a Read by name may still miss the object, in milliseconds. @default 30000 */
  readonly settleMs?: number;
  /** Default deadlines in milliseconds. @default 30 min for create, update, delete; 2 min for read */
  readonly timeouts?: {
    readonly create?: number;
    readonly read?: number;
    readonly update?: number;
    readonly delete?: number;
  };
  /** What a call takes as a rule, in milliseconds, as the plugin says. @default not known */
  readonly typicalMs?: { readonly create?: number; readonly update?: number; readonly delete?: number };
  /** JSON Schema of the input. */
  readonly schema?: JsonObject;
  /** JSON Schema of the outputs. */
  readonly outputs?: JsonObject;
}

export interface ProviderFeatures {
  /** `ResourceDriver` is advertised. */
  readonly drivers: boolean;
  /** `IaCProviderFinalizer` is advertised. */
  readonly finalizer: boolean;
  /** Client tokens are honoured: a call repeated with its token has one effect. */
  readonly clientTokens: boolean;
  /** Lookup by client token exists. */
  readonly lookup: boolean;
  /** `Stop(run)` exists. */
  readonly stop: boolean;
  /** The plugin limits its own API calls and reports waiting: the host's parallelism does not bound it. */
  readonly ownLimits: boolean;
  /** Read gives live inputs beside outputs. */
  readonly readsInputs: boolean;
}

export interface Spec {
  readonly name: string;
  readonly type: string;
  readonly config: JsonObject;
  readonly size?: string;
  readonly hints?: ResourceHints;
  readonly dependsOn: readonly string[];
}

export interface Ref {
  readonly name: string;
  readonly type: string;
  /** Empty: the driver finds the object by name and type. */
  readonly providerId: string;
}

export interface CallOptions {
  /** Ends the call at the latest then; the answer, if one still comes, is dropped. */
  readonly signal?: AbortSignal;
  /** From dispatch, in milliseconds. */
  readonly timeoutMs: number;
  readonly run: string;
  /**
   * Length of the longest chain of actions that waits for this call, itself included, by the time that each is expected to
   * take: where calls must queue, the longest goes first. The number itself means nothing. @default 0
   */
  readonly priority?: number;
  /** Calls back with each other priority that the call gets while it is open. Gives the function that ends this. */
  readonly watchPriority?: (changed: (priority: number) => void) => () => void;
  /** Same for all attempts of one action half. */
  readonly clientToken?: string;
  /** `<stack lineage>/<resource>`, written into the object by drivers that can. */
  readonly owner?: string;
  /**
   * What the driver says while it works. `waiting` frees the host's slot until the next report; `limited` beside it says
   * that the provider's own rate limit is what is waited for.
   */
  readonly onProgress?: (progress: {
    readonly message: string;
    readonly waiting: boolean;
    readonly limited?: boolean;
  }) => void;
}

/** What a driver reports of one live object. */
export interface LiveObject {
  /** Empty where the plugin left it out: the caller decides whether that breaks the contract. */
  readonly name: string;
  readonly type: string;
  readonly providerId: string;
  readonly outputs: JsonObject;
  /** Output keys that this reply marks as secret. */
  readonly sensitive: readonly string[];
  readonly status: string;
  /** Live inputs, where the plugin gives them. */
  readonly inputs?: JsonObject;
  /** Ownership mark found on the object, where the plugin gives it. */
  readonly owner?: string;
  /** The call itself created the object (true), found it (false), or did not say. */
  readonly created?: boolean;
  /** ISO 8601: from when on the object should be looked at again. */
  readonly revisitAt?: string;
}

export interface DiffReply {
  readonly needsUpdate: boolean;
  readonly needsReplace: boolean;
  readonly changes: readonly FieldChange[];
}

export interface SizingReply {
  readonly instanceType: string;
  readonly specs: JsonObject;
}

/**
 * One configured provider, as the engine sees it. Implemented over gRPC by the plugin host and in memory by tests.
 * Every method that fails throws a `ProviderError`; a plugin that died is started again by the next call, at most three times.
 * Calls may run at the same time.
 */
export interface Provider {
  /** Name of the `iac.provider` module. */
  readonly module: string;
  /** Plugin's provider name, such as `aws`, and its version. */
  readonly name: string;
  readonly version: string;
  /** Account, region and endpoint as the provider reports them; undefined where it cannot say. */
  readonly identity: string | undefined;
  /** Digest over the schemas of its types; empty where it has none. */
  readonly schemaDigest: string;
  readonly features: ProviderFeatures;
  /** Undefined where the plugin says that it has no driver of the type. Plugins that list nothing support all types with default traits. */
  traits(type: string): TypeTraits | undefined;
  create(spec: Spec, options: CallOptions): Promise<LiveObject>;
  /**
   * The provider's own id of the object that somebody calls `id` (its name, an address of the vendor's); undefined where
   * there is none. Absent: ids are taken as they are.
   */
  importId?(type: string, id: string, options: CallOptions): Promise<string | undefined>;
  /** Undefined where the object does not exist. */
  read(ref: Ref, options: CallOptions): Promise<LiveObject | undefined>;
  update(ref: Ref, spec: Spec, options: CallOptions): Promise<LiveObject>;
  /** An object that is gone already is a success. */
  delete(ref: Ref, options: CallOptions): Promise<void>;
  /** Pure: compares what is wanted with what is known. Sends nothing to the cloud. */
  diff(spec: Spec, current: LiveObject, options: CallOptions): Promise<DiffReply>;
  resolveSizing(
    type: string,
    size: string,
    hints: ResourceHints | undefined,
    options: CallOptions,
  ): Promise<SizingReply | undefined>;
  /** The object that a create with this token made, where `features.lookup`. */
  lookup(type: string, clientToken: string, name: string, options: CallOptions): Promise<LiveObject | undefined>;
  /** Errors of the finalizer, one text each; empty on success. Only where `features.finalizer`. */
  finalize(
    planId: string,
    options: CallOptions,
  ): Promise<readonly { resource: string; action: string; error: string }[]>;
  /** Asks drivers to stop waiting and return what they have. Only where `features.stop`. */
  stop(run: string): Promise<void>;
  /** True once the plugin process that served the last call is known to be gone. */
  processGone(): boolean;
}
