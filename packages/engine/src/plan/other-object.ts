import type { DesiredResource, ResourceRecord } from "@wfctl/model";
import type { Provider } from "../ports/index.ts";

/** Why the recorded object cannot be the wanted one, whatever its inputs are; undefined where it can. */
export function otherObjectReason(
  resource: Pick<DesiredResource, "type" | "provider">,
  record: Pick<ResourceRecord, "type" | "provider" | "providerName" | "providerIdentity">,
  provider: Pick<Provider, "name" | "identity">,
): string | undefined {
  if (record.type !== resource.type) return `its type changes from ${record.type} to ${resource.type}`;
  if (record.providerName !== "" && record.providerName !== provider.name) {
    return `its provider changes from ${record.providerName} to ${provider.name}`;
  }
  // Two modules may reach one account; where a provider cannot say so, they are two.
  const sameAccount = provider.identity !== undefined && record.providerIdentity === provider.identity;
  if (record.provider !== resource.provider && !sameAccount) {
    return `its provider module changes from ${record.provider} to ${resource.provider}, another account or region`;
  }
  return undefined;
}

/** The recorded id, where it can be that of the wanted object: under another type or account it may name anything. */
export function knownId(
  resource: Pick<DesiredResource, "type" | "provider">,
  record: ResourceRecord | undefined,
  provider: Pick<Provider, "name" | "identity">,
): string | undefined {
  if (record === undefined || otherObjectReason(resource, record, provider) !== undefined) return undefined;
  return record.providerId;
}

/** An object that the stack was only given to read, or that it keeps without proof of having made it: never to be deleted. */
export function isOnlyRead(record: Pick<ResourceRecord, "retain" | "createdByUs" | "mark">): boolean {
  return record.retain && !record.createdByUs && record.mark === undefined;
}

/** What a plan says of such an object where another one takes its place in the record. */
export function leavesReason({ type, providerId }: Pick<ResourceRecord, "type" | "providerId">): string {
  return `the object that was recorded (${type}, id ${providerId}) stays as it is, and the state names it no longer`;
}
