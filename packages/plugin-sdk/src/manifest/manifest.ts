import { requiredPlanVersion } from "@wfctl/contract";
import type { JsonObject } from "@wfctl/model";
import type { Provider } from "../author/define-provider.ts";
import { toJsonSchema } from "../schema/json-schema.ts";

/** What `plugin.json` says of a plugin. */
export interface Manifest {
  readonly name: string;
  readonly version: string;
  readonly author: string;
  readonly description: string;
  readonly license: string;
  readonly type: "external";
  readonly tier: "community";
  readonly minEngineVersion: string;
  readonly iacProvider: { readonly computePlanVersion: string };
  readonly iacServices: readonly string[];
  readonly iacStateBackends: readonly string[];
  /** By resource type; absent where no type says anything. */
  readonly permissions?: Readonly<Record<string, readonly string[]>>;
  readonly capabilities: {
    readonly moduleTypes: readonly string[];
    readonly stepTypes: readonly string[];
    readonly triggerTypes: readonly string[];
    readonly iacProvider: {
      readonly name: string;
      readonly resourceTypes: readonly string[];
      readonly configSchema: JsonObject;
    };
  };
}

function permissionsOf({ resources }: Provider): Pick<Manifest, "permissions"> {
  const entries = resources.flatMap(({ type, permissions }) =>
    permissions === undefined ? [] : [[type, permissions.toSorted()] as const],
  );
  return entries.length === 0 ? {} : { permissions: Object.fromEntries(entries) };
}

/** The manifest without the list of services, which needs the server's code. */
export function manifestOf(provider: Provider): Omit<Manifest, "iacServices"> {
  return {
    name: `workflow-plugin-${provider.name}`,
    version: provider.version,
    author: provider.author ?? "wfctl contributors",
    description: provider.description,
    license: provider.license ?? "MIT",
    type: "external",
    tier: "community",
    minEngineVersion: provider.minEngineVersion ?? "0.85.0",
    iacProvider: { computePlanVersion: requiredPlanVersion },
    iacStateBackends: provider.stateBackend?.names ?? [],
    ...permissionsOf(provider),
    capabilities: {
      moduleTypes: ["iac.provider"],
      stepTypes: [],
      triggerTypes: [],
      iacProvider: {
        name: provider.name,
        resourceTypes: provider.resources.map(({ type }) => type),
        configSchema: toJsonSchema(provider.config),
      },
    },
  };
}
