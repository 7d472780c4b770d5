import type { Provider } from "../author/define-provider.ts";
import type { Manifest } from "./manifest.ts";

/**
 * What belongs into the provider's `plugin.json`, its services included: exactly those that the process will advertise.
 * Write it with `JSON.stringify(manifest, null, 2)`.
 */
export async function generateManifest(provider: Provider): Promise<Manifest> {
  const [{ advertisedServices }, { manifestOf }] = await Promise.all([
    import("../server/services.ts"),
    import("./manifest.ts"),
  ]);
  const { iacStateBackends, capabilities, ...head } = manifestOf(provider);
  return { ...head, iacServices: advertisedServices(provider), iacStateBackends, capabilities };
}
