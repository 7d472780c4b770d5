import type { DesiredResource, JsonObject } from "@wfctl/model";
import type { Digester, Provider } from "../ports/index.ts";
import { withoutReserved } from "./reserved-keys.ts";

/**
 * Keyed digest of all that decides whether a resource is unchanged. Values of outputs that the config refers to are in
 * the resolved config, so a change there changes the digest too.
 */
export function fingerprint(
  digester: Digester,
  provider: Pick<Provider, "name" | "version" | "schemaDigest" | "identity">,
  resource: Pick<DesiredResource, "type" | "size" | "hints">,
  resolvedConfig: JsonObject,
): string {
  return digester.digest([
    provider.name,
    provider.version,
    provider.schemaDigest,
    provider.identity ?? null,
    resource.type,
    resource.size ?? null,
    resource.hints === undefined ? null : { ...resource.hints },
    withoutReserved(resolvedConfig),
  ]);
}
