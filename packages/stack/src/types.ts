import type { Input, Output } from "./references.ts";

/**
 * Types of resources with their configuration and outputs. Empty: every type takes and gives anything. `wfctl schema --types`
 * writes a file that fills it with what the installed plugins say.
 */
// oxlint-disable-next-line typescript/no-empty-object-type -- made to be filled by others
export interface ResourceTypes {}

/**
 * Names of provider modules whose plugin is not installed, so that nothing is known of its types: resources that name one of
 * them may have any type and configuration. Filled by `wfctl schema --types`.
 */
// oxlint-disable-next-line typescript/no-empty-object-type -- made to be filled by others
export interface UncheckedProviders {}

// oxlint-disable-next-line typescript/no-redundant-type-constituents -- never only until it is filled
type Unchecked = keyof UncheckedProviders & string;

/** A provider module of which nothing is known, as a resource names it. */
// oxlint-disable-next-line typescript/no-redundant-type-constituents -- never only until it is filled
export type UncheckedProvider = Unchecked | ProviderModuleRef<Unchecked>;

type Anything = { readonly [key: string]: unknown };
// oxlint-disable-next-line typescript/no-redundant-type-constituents -- never only until it is filled
type Known = keyof ResourceTypes & string;

/** Names of known types, and any other text while none is known. */
export type TypeName = [Known] extends [never] ? string : Known;

/** What a type's configuration is. */
export type ResourceConfig<Type extends string> = Type extends Known
  ? ResourceTypes[Type] extends { readonly config: infer Config }
    ? Config
    : Anything
  : Anything;

/** What a type gives. */
export type ResourceOutputs<Type extends string> = Type extends Known
  ? ResourceTypes[Type] extends { readonly outputs: infer Outputs }
    ? Outputs
    : Anything
  : { readonly [key: string]: never };

/** The configuration as a program writes it: every value may come later, the keys that wfctl reads are there as well. */
export type ConfigInput<Type extends string> = Type extends Known
  ? { readonly [Key in keyof ResourceConfig<Type>]: Input<ResourceConfig<Type>[Key]> } & HostKeys
  : Anything & HostKeys;

/** Keys of every resource's configuration that wfctl reads itself. */
export interface HostKeys {
  readonly size?: string | Input<string>;
  readonly region?: Input<string>;
}

/** A provider module that was declared. */
export interface ProviderModuleRef<Name extends string = string> {
  readonly kind: "provider";
  readonly name: Name;
}

/** A resource that was declared. */
export interface Resource<Type extends string = string> {
  readonly kind: "resource";
  readonly name: string;
  readonly type: Type;
  /** The provider's id of the object. */
  readonly id: Output<string>;
  readonly outputs: {
    readonly [Key in keyof ResourceOutputs<Type>]-?: Output<NonNullable<ResourceOutputs<Type>[Key]>>;
  };
}

export type OnFailure = "continue" | "stop" | "compensate";

/** What is said beside the configuration. Durations are texts such as `30m`. */
export interface ResourceOptions {
  readonly provider?: ProviderModuleRef | string;
  readonly dependsOn?: readonly (Resource | string)[];
  readonly protected?: boolean;
  readonly existing?: boolean;
  readonly adoptExisting?: boolean;
  readonly lifecycle?: {
    readonly ignoreChanges?: readonly string[];
    readonly replace?: "create-first" | "delete-first";
    readonly retain?: boolean;
  };
  readonly timeouts?: {
    readonly create?: string | number;
    readonly read?: string | number;
    readonly update?: string | number;
    readonly delete?: string | number;
  };
  /** Changes per environment, as a stack file has them. A program may ask `stack.environment` instead. */
  readonly environments?: Anything;
}

export type ProviderOptions = { readonly [key: string]: unknown };

export interface VariableSettings {
  readonly type?: "string" | "number" | "integer" | "boolean" | "list" | "map";
  readonly default?: unknown;
  readonly description?: string;
  readonly sensitive?: boolean;
  readonly enum?: readonly unknown[];
  readonly pattern?: string;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly items?: Anything;
}

/** The top of the stack, as in a stack file in YAML. */
export interface StackSettings {
  readonly name?: string;
  readonly onFailure?: OnFailure;
  readonly imports?: readonly string[];
  readonly environments?: { readonly [name: string]: Anything | null };
  readonly variables?: { readonly [name: string]: VariableSettings | string | number | boolean | readonly unknown[] };
  readonly components?: { readonly [name: string]: { readonly source: string; readonly inputs?: Anything } };
  readonly secrets?: Anything;
  readonly secretStores?: Anything;
  readonly [key: `x-${string}`]: unknown;
  readonly moved?: readonly { readonly from: string; readonly to: string }[];
}
