import type { JsonObject } from "@wfctl/model";
import type { MessageInitShape } from "@bufbuild/protobuf";
import type { BackendState, iac } from "@wfctl/contract";
import type { z } from "zod";
import type { CallContext } from "./context.ts";
import type { Resource } from "./define-resource.ts";
import type { LimiterOptions } from "./limiter.ts";
import type { Log } from "./log.ts";

export interface ConfigureContext {
  readonly signal: AbortSignal;
  readonly log: Log;
}

/** Who answers: what makes two configurations reach the same objects. */
export interface Identity {
  /** Stable text such as `aws:123456789012:eu-central-1:`. Holds no secret. */
  readonly identity: string;
  /** The same for people: account, region, endpoint. */
  readonly labels?: Readonly<Record<string, string>>;
}

export interface PlanDiagnostic {
  readonly severity: "info" | "warning" | "error";
  /** Resource name; empty for the whole plan. */
  readonly resource: string;
  readonly field?: string;
  readonly message: string;
}

/**
 * A provider: what one plugin process serves. Everything optional is advertised only when it is there.
 * A drift detector, an ownership listing, an enumerator and a plan validator are derived from the resources.
 */
export interface ProviderDefinition<Client, Config extends object> {
  /** As in `provider:` of an `iac.provider` module, such as `aws`. */
  readonly name: string;
  /** MAJOR.MINOR.PATCH. Changes when any handler's behaviour towards the planner does: hosts cache by it. */
  readonly version: string;
  readonly description: string;
  readonly author?: string;
  readonly license?: string;
  /** Oldest engine, in upstream's numbering. @default "0.85.0" */
  readonly minEngineVersion?: string;
  /** Configuration of the `iac.provider` module; a `z.strictObject`. */
  readonly config: z.ZodType<Config>;
  readonly resources: readonly Resource<Client>[];
  /** Rates by API family, for `context.limit`. */
  readonly limits?: Readonly<Record<string, LimiterOptions>>;
  /** Client tokens are honoured by every create. @default true when every type has `convergentCreate` */
  readonly clientTokens?: boolean;
  /** Canonical container keys that are understood. @default all of the host's */
  readonly canonicalKeys?: readonly string[];

  /**
   * Makes the client of one configuration. Cheap: no call to the cloud that `identity` can make.
   * Load cloud SDKs here or later, never at the top of a module.
   */
  configure(config: Config, context: ConfigureContext): Promise<Client> | Client;
  /** May ask the cloud; asked at most once per configuration. */
  identity(client: Client, context: ConfigureContext): Promise<Identity> | Identity;
  /**
   * The identity follows from the configuration alone: no credentials, environment or cloud decide it. Hosts may then
   * remember it, and plan without starting the plugin where nothing changed. @default false
   */
  readonly stableIdentity?: boolean;
  /** Called when a configuration is closed and when the plugin ends; at most one second in the latter case. */
  close?(client: Client): Promise<void> | void;

  /** Deferred work after all creates and updates. One entry per failure. */
  finalize?(
    planId: string,
    context: CallContext<Client>,
  ): Promise<readonly { resource: string; action: string; error: string }[]>;
  regions?(
    environment: string,
    context: CallContext<Client>,
  ): Promise<readonly { name: string; displayName?: string }[]>;
  /** Findings beyond the schemas', which are reported always. */
  validatePlan?(plan: iac.IaCPlan, context: CallContext<Client>): Promise<readonly PlanDiagnostic[]>;
  /** Makes what a state backend of upstream hosts needs; undefined where nothing is to be made. */
  bootstrapStateBackend?(
    config: JsonObject,
    context: CallContext<Client>,
  ): Promise<
    { bucket: string; region: string; endpoint: string; envVars: Readonly<Record<string, string>> } | undefined
  >;
  revokeCredential?(source: string, credentialId: string, context: CallContext<Client>): Promise<void>;
  captureLogs?(request: iac.CaptureLogsRequest, context: CallContext<Client>): AsyncIterable<LogChunk>;
  /** What the provider-neutral needs of an application become here: modules of the configuration. */
  mapRequirements?(
    request: iac.MapRequirementsRequest,
    context: CallContext<Client>,
  ): Promise<MessageInitShape<typeof iac.MapRequirementsResponseSchema>>;
  discoverRequirements?(
    request: iac.DiscoverRequirementsRequest,
    context: CallContext<Client>,
  ): Promise<MessageInitShape<typeof iac.DiscoverRequirementsResponseSchema>>;
  repairMigration?(
    request: iac.MigrationRepairRequest,
    context: CallContext<Client>,
  ): Promise<MessageInitShape<typeof iac.MigrationRepairResultSchema>>;
  /** One-off jobs. */
  jobs?: {
    run(spec: iac.JobSpec, context: CallContext<Client>): Promise<JobHandle>;
    status(handle: JobHandle, context: CallContext<Client>): Promise<JobStatus>;
    logs(handle: JobHandle, context: CallContext<Client>): AsyncIterable<LogChunk>;
  };
  /** The state store that upstream hosts may keep here. */
  stateBackend?: StateBackend;
}

export interface LogChunk {
  readonly data: Uint8Array;
  readonly source?: string;
  readonly eof?: boolean;
}

export interface JobHandle {
  readonly id: string;
  readonly name: string;
  readonly metadata?: Readonly<Record<string, string>>;
}

export interface JobStatus {
  readonly state: "pending" | "running" | "succeeded" | "failed" | "cancelled";
  readonly exitCode?: number;
  readonly message?: string;
}

/** Calls before `configure` never reach it: they are answered FAILED_PRECONDITION. */
export interface StateBackend {
  readonly names: readonly string[];
  configure(name: string, config: JsonObject): Promise<void>;
  get(id: string): Promise<BackendState | undefined>;
  save(record: BackendState): Promise<void>;
  list(filter: Readonly<Record<string, string>>): Promise<readonly BackendState[]>;
  delete(id: string): Promise<void>;
  lock(id: string): Promise<void>;
  unlock(id: string): Promise<void>;
}

/** A provider with the types of its client and configuration hidden: what `serve` takes. */
export type Provider = ProviderDefinition<unknown, object>;

const providerName = /^[a-z](?:[a-z0-9-]*[a-z0-9])?$/;
const plainVersion = /^\d+\.\d+\.\d+$/;

/** Checks what the types cannot: a wrong definition fails when the plugin starts, with the reason. */
export function defineProvider<Client, Config extends object>(
  definition: ProviderDefinition<Client, Config>,
): Provider {
  if (!providerName.test(definition.name)) {
    throw new TypeError(`Provider name "${definition.name}" is not lower-case letters, digits and hyphens`);
  }
  if (!plainVersion.test(definition.version)) {
    throw new TypeError(`Version "${definition.version}" of provider "${definition.name}" is not MAJOR.MINOR.PATCH`);
  }
  const types = new Set<string>();
  for (const { type } of definition.resources) {
    if (types.has(type)) throw new TypeError(`Provider "${definition.name}" defines type "${type}" twice`);
    types.add(type);
  }
  return definition as unknown as Provider;
}
