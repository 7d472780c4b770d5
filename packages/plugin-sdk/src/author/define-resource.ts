import type { FieldChange, JsonObject, ResourceHints } from "@wfctl/model";
import type { z } from "zod";
import type { CallContext } from "./context.ts";
import type { AlreadyExists, NotFound } from "./failure.ts";

/** A dotted path into the input whose first step is one of its keys. */
export type InputPath<Input> = (keyof Input & string) | `${keyof Input & string}.${string}`;

/** What a handler reports of one live object. */
export interface ResourceState<Input, Outputs> {
  /** The provider's id: what `read`, `update` and `delete` get. Never empty. */
  readonly id: string;
  readonly outputs: Outputs;
  /**
   * The inputs as the object has them now, in the shape of the input schema: what diff and drift compare with. Leave out
   * what cannot be read back. From `create` and `update` the applied input stands in for them.
   */
  readonly inputs?: Partial<Input>;
  /** Logical name. Only enumeration and import need it; elsewhere the request's name is used. */
  readonly name?: string;
  /** Ownership mark found on the object. */
  readonly owner?: string | undefined;
  /** Tags by which `infra cleanup --tag` finds the object. Only used of `list`. */
  readonly tags?: readonly string[];
  /** From when on the object should be looked at again, such as the renewal of a certificate. */
  readonly revisitAt?: Date | undefined;
  /** `running`, `stopped`, `degraded` or `unknown`. @default "running" */
  readonly status?: string;
  /** This call made the object (true) or found it (false). Leave it out where that is not certain. */
  readonly created?: boolean;
  /** Output keys that are secret in this answer, beside the resource's `sensitiveOutputs`. */
  readonly sensitive?: readonly string[];
}

/** What is wanted of one object. */
export interface DesiredState<Input> {
  /** Name in the configuration. */
  readonly name: string;
  /** Checked against the schema, with its defaults filled in. */
  readonly input: Input;
  /** An abstract tier (xs, s, m, l, xl) or the vendor's own word. */
  readonly size: string | undefined;
  readonly hints: ResourceHints | undefined;
  readonly dependsOn: readonly string[];
}

export interface ObjectRef {
  readonly name: string;
  /** Empty where the host does not know it: find the object by its name. */
  readonly id: string;
}

/** What is known of an object when it is compared. */
export interface KnownState {
  readonly id: string;
  /** Recorded or just read. Secret ones may be `secret_ref://` placeholders. */
  readonly outputs: JsonObject;
  /** Recorded or live inputs, without reserved keys; undefined where the host has none. */
  readonly inputs: JsonObject | undefined;
}

export interface Comparison {
  readonly changes: readonly FieldChange[];
  /** @default true when there are changes */
  readonly needsUpdate?: boolean;
  /** @default true when a change has `forceNew` */
  readonly needsReplace?: boolean;
}

export interface Health {
  readonly healthy: boolean;
  /** Shown while people wait. */
  readonly message: string;
}

export interface TroubleReport {
  readonly id: string;
  readonly phase: string;
  readonly cause: string;
  readonly at?: Date;
  readonly detail: string;
}

export interface Sizing {
  /** Written to the config key `instance_type` by hosts, unless empty. */
  readonly instanceType: string;
  /** Written into the config, key by key. */
  readonly specs: JsonObject;
}

/**
 * One resource type.
 *
 * Obligations of the handlers: they may run at the same time; `delete` of what is gone returns `notFound()` (a success);
 * `create` never takes over an object that is not marked as this action's own; each ends soon after `context.signal`
 * aborts. Absence and existing objects are answers (`notFound()`, `alreadyExists()`), everything else that fails is a
 * thrown `ProviderFailure`.
 */
export interface ResourceDefinition<Client, Input extends object, Outputs extends object> {
  /** Such as `infra.storage`. */
  readonly type: string;
  readonly description: string;
  /** A `z.strictObject`: unknown keys become violations. Its JSON Schema is published. */
  readonly input: z.ZodType<Input>;
  readonly outputs: z.ZodType<Outputs>;
  /** Paths whose change replaces the object. */
  readonly forceNew?: readonly InputPath<NoInfer<Input>>[];
  /** Paths that `read` cannot give back. */
  readonly writeOnly?: readonly InputPath<NoInfer<Input>>[];
  /** Paths whose value is secret. */
  readonly sensitiveInputs?: readonly InputPath<NoInfer<Input>>[];
  readonly sensitiveOutputs?: readonly (keyof NoInfer<Outputs> & string)[];
  /** Optional paths that go back to nothing when the configuration drops them; other dropped keys are left alone. */
  readonly resetWhenUnset?: readonly InputPath<NoInfer<Input>>[];
  /** Lists whose order means nothing. */
  readonly unordered?: readonly InputPath<NoInfer<Input>>[];
  /** A replacement can be made before the old object is deleted. @default false */
  readonly createFirst?: boolean;
  /** `create` with the same client token again gives the same object. @default false */
  readonly convergentCreate?: boolean;
  /** An update cannot be undone by an update to the inputs before. @default false */
  readonly irreversibleUpdate?: boolean;
  /** How long a fresh object may stay invisible to `read` and `lookup`. @default the host's, 30000 */
  readonly settleMs?: number;
  /** Default deadlines in milliseconds. @default 30 min, read 2 min */
  readonly timeouts?: Partial<Record<"create" | "read" | "update" | "delete", number>>;
  /**
   * What a call takes as a rule, in milliseconds, waits for rate limits not counted: hosts that have seen none end yet start
   * first what long calls wait for. A factor of two off still serves. @default not known
   */
  readonly typicalMs?: Partial<Record<"create" | "update" | "delete", number>>;
  /** What credentials must be allowed to do for all of the handlers, in the words of the cloud: `wfctl plugin permissions` prints it. */
  readonly permissions?: readonly string[];
  /** 1 infrastructure, 2 shared, 3 application. @default 1 */
  readonly tier?: 1 | 2 | 3;

  create(
    desired: DesiredState<NoInfer<Input>>,
    context: CallContext<Client>,
  ): Promise<ResourceState<NoInfer<Input>, NoInfer<Outputs>> | AlreadyExists>;
  read(
    ref: ObjectRef,
    context: CallContext<Client>,
  ): Promise<ResourceState<NoInfer<Input>, NoInfer<Outputs>> | NotFound>;
  update(
    ref: ObjectRef,
    desired: DesiredState<NoInfer<Input>>,
    context: CallContext<Client>,
  ): Promise<ResourceState<NoInfer<Input>, NoInfer<Outputs>> | NotFound>;
  delete(ref: ObjectRef, context: CallContext<Client>): Promise<void | NotFound>;
  /** The object that a create with this token made. `notFound()` must be certain. */
  lookup?(
    query: { token: string; name: string; owner: string | undefined },
    context: CallContext<Client>,
  ): Promise<ResourceState<NoInfer<Input>, NoInfer<Outputs>> | NotFound>;
  /**
   * Compares without any call to the cloud. `standard` is what the default answers: add to it or filter it.
   * Leave it out where the default is right.
   */
  diff?(desired: DesiredState<NoInfer<Input>>, known: KnownState, standard: Comparison): Comparison;
  scale?(
    ref: ObjectRef,
    replicas: number,
    context: CallContext<Client>,
  ): Promise<ResourceState<NoInfer<Input>, NoInfer<Outputs>> | NotFound>;
  /** @default healthy when it is found and its status is `running` */
  health?(ref: ObjectRef, context: CallContext<Client>): Promise<Health>;
  /** @default `read` by the id */
  import?(
    id: string,
    context: CallContext<Client>,
  ): Promise<ResourceState<NoInfer<Input>, NoInfer<Outputs>> | NotFound>;
  /** All objects of the type that the configuration can reach. */
  list?(context: CallContext<Client>): AsyncIterable<ResourceState<NoInfer<Input>, NoInfer<Outputs>>>;
  /** Writes the ownership mark of `infra apply --owner`. */
  setOwner?(ref: ObjectRef, owner: string, context: CallContext<Client>): Promise<void | NotFound>;
  /** What a tier means here; undefined adds nothing. */
  sizing?(request: { size: string; hints: ResourceHints | undefined }): Sizing | undefined;
  /** Newest first. Asked after a failure. */
  troubleshoot?(ref: ObjectRef, failure: string, context: CallContext<Client>): Promise<readonly TroubleReport[]>;
}

/** A resource type with the types of its input and outputs hidden: what a provider lists. */
export type Resource<Client> = ResourceDefinition<Client, JsonObject, JsonObject>;

/**
 * Defines a resource type. `defineResource({…})` where the handlers need no client;
 * `defineResource<Client>()({…})` gives `context.client` its type. Input and outputs are inferred from the schemas.
 */
export function defineResource<Client>(): <Input extends object, Outputs extends object>(
  definition: ResourceDefinition<Client, Input, Outputs>,
) => Resource<Client>;
export function defineResource<Input extends object, Outputs extends object>(
  definition: ResourceDefinition<unknown, Input, Outputs>,
): Resource<unknown>;
export function defineResource(definition?: unknown): unknown {
  return definition ?? ((given: unknown) => given);
}
