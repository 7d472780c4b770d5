import { callPlace, type DeclarationPlace } from "./document.ts";
import { createOutputs, outputOf, type Input } from "./references.ts";
import type {
  ConfigInput,
  ProviderModuleRef,
  ProviderOptions,
  Resource,
  ResourceOptions,
  TypeName,
  UncheckedProvider,
} from "./types.ts";

/** Where declarations go. */
export interface Declarations {
  add(module: { readonly [key: string]: unknown }, place: DeclarationPlace | undefined): void;
  importObject(request: { readonly to: string; readonly id: unknown }, place: DeclarationPlace | undefined): void;
  output(name: string, value: unknown, options: { readonly sensitive?: boolean; readonly description?: string }): void;
}

/** A stack, or a part of it whose resources have names of their own: `web.db`. */
export interface StackGroup {
  /** Undefined where the stack declares no environments. */
  readonly environment: string | undefined;
  /** Declares a provider module. Its name is not prefixed: providers belong to the whole stack. */
  provider<const Name extends string>(name: Name, provider: string, config?: ProviderOptions): ProviderModuleRef<Name>;
  /** Declares where the state is kept. */
  state(name: string, config: { readonly [key: string]: unknown }): void;
  /** Declares a resource of a provider module whose types are not known. */
  resource(
    type: string,
    name: string,
    config: ProviderOptions | undefined,
    options: ResourceOptions & { readonly provider: UncheckedProvider },
  ): Resource;
  /** Declares a resource. Names are unique in their group. */
  resource<Type extends TypeName>(
    type: Type,
    name: string,
    config?: ConfigInput<Type>,
    options?: ResourceOptions,
  ): Resource<Type>;
  /** Declares a module as a stack file has it: what the other methods do not cover. */
  module(module: { readonly name: string; readonly type: string; readonly [key: string]: unknown }): void;
  /**
   * Records an object that exists already as this resource: plan shows it as an import, apply records it. Nothing to do once
   * it is recorded.
   */
  import(to: Resource | string, id: Input<string>): void;
  /** Declares an output of the stack, prefixed in a group. */
  output<T>(
    name: string,
    value: Input<T>,
    options?: { readonly sensitive?: boolean; readonly description?: string },
  ): void;
  /**
   * A component: what is declared inside has addresses below the group's. What `build` returns are its outputs.
   *
   *     const web = stack.group("web", (group) => createService(group, { image }));
   */
  group<T>(name: string, build: (group: StackGroup) => T): T;
}

export function createGroup(declarations: Declarations, prefix: string, environment: string | undefined): StackGroup {
  const nameOf = (name: string): string => `${prefix}${name}`;
  return {
    environment,
    provider(name, provider, config = {}) {
      declarations.add({ name, type: "iac.provider", config: { provider, ...config } }, callPlace());
      return { kind: "provider", name };
    },
    state(name, config) {
      declarations.add({ name, type: "iac.state", config }, callPlace());
    },
    resource<Type extends string>(
      type: Type,
      name: string,
      config?: ProviderOptions,
      options: ResourceOptions = {},
    ): Resource<Type> {
      const full = nameOf(name);
      declarations.add(moduleOf(full, type, config ?? {}, options), callPlace());
      return {
        kind: "resource",
        name: full,
        type,
        id: outputOf<string>(full, "id"),
        outputs: createOutputs(full),
      };
    },
    module(module) {
      declarations.add({ ...module, name: nameOf(module.name) }, callPlace());
    },
    import(to, id) {
      declarations.importObject({ to: typeof to === "string" ? nameOf(to) : to.name, id }, callPlace());
    },
    output: (name, value, options = {}) => declarations.output(nameOf(name), value, options),
    group: (name, build) => build(createGroup(declarations, `${nameOf(name)}.`, environment)),
  };
}

function moduleOf(
  name: string,
  type: string,
  config: ProviderOptions,
  options: ResourceOptions,
): { readonly [key: string]: unknown } {
  const provider = typeof options.provider === "object" ? options.provider.name : options.provider;
  const dependsOn = options.dependsOn?.map((item) => (typeof item === "string" ? item : item.name));
  const { ignoreChanges, ...lifecycle } = options.lifecycle ?? {};
  const all = provider === undefined ? config : { iac_provider: provider, ...config };
  return withoutAbsent({
    name,
    type,
    protected: options.protected,
    existing: options.existing,
    adopt_existing: options.adoptExisting,
    dependsOn,
    lifecycle:
      options.lifecycle === undefined ? undefined : withoutAbsent({ ignore_changes: ignoreChanges, ...lifecycle }),
    timeouts: options.timeouts,
    environments: options.environments,
    config: Object.keys(all).length === 0 ? undefined : all,
  });
}

export function withoutAbsent(object: { readonly [key: string]: unknown }): { readonly [key: string]: unknown } {
  return Object.fromEntries(Object.entries(object).filter(([, value]) => value !== undefined));
}
