import type { DescService } from "@bufbuild/protobuf";
import * as ext from "./gen/wfctl/ext/v1/ext_pb.ts";
import * as iac from "./gen/workflow/plugin/external/iac/iac_pb.ts";

/** Every typed service of the provider contract, by its name without the package. */
export const iacServices = {
  IaCProviderRequired: iac.IaCProviderRequired,
  ResourceDriver: iac.ResourceDriver,
  IaCProviderEnumerator: iac.IaCProviderEnumerator,
  IaCProviderDriftDetector: iac.IaCProviderDriftDetector,
  IaCProviderDriftConfigDetector: iac.IaCProviderDriftConfigDetector,
  IaCProviderCredentialRevoker: iac.IaCProviderCredentialRevoker,
  IaCProviderRegionLister: iac.IaCProviderRegionLister,
  IaCProviderOwnership: iac.IaCProviderOwnership,
  IaCProviderFinalizer: iac.IaCProviderFinalizer,
  IaCProviderMigrationRepairer: iac.IaCProviderMigrationRepairer,
  IaCProviderValidator: iac.IaCProviderValidator,
  IaCProviderLogCapture: iac.IaCProviderLogCapture,
  IaCProviderRunner: iac.IaCProviderRunner,
  IaCRequirementDiscovery: iac.IaCRequirementDiscovery,
  IaCProviderRequirementMapper: iac.IaCProviderRequirementMapper,
  IaCStateBackend: iac.IaCStateBackend,
} as const satisfies Record<string, DescService>;
export type IacServiceKey = keyof typeof iacServices;

/** Our optional services, by name without the package. */
export const extServices = {
  ProviderIdentity: ext.ProviderIdentity,
  ResourceSchemas: ext.ResourceSchemas,
  ClientTokens: ext.ClientTokens,
  Configurations: ext.Configurations,
  RunControl: ext.RunControl,
  DriverSession: ext.DriverSession,
} as const satisfies Record<string, DescService>;
export type ExtServiceKey = keyof typeof extServices;

/** What a registry names each service: the full name, as `workflow.plugin.external.iac.ResourceDriver`. */
export const iacServiceNames: Readonly<Record<IacServiceKey, string>> = fullNames(iacServices);
export const extServiceNames: Readonly<Record<ExtServiceKey, string>> = fullNames(extServices);

/** A plugin whose registry lacks it is no provider. */
export const requiredService = iacServices.IaCProviderRequired.typeName;

/** What `Capabilities` must answer, to the letter. */
export const requiredPlanVersion = "v2";

function fullNames<K extends string>(services: Record<K, DescService>): Record<K, string> {
  const names: Partial<Record<K, string>> = {};
  for (const key of Object.keys(services) as K[]) names[key] = services[key].typeName;
  return names as Record<K, string>;
}
