import { ext, extServiceNames, iac, jsonToBytes } from "@wfctl/contract";
import type { JsonObject } from "@wfctl/model";

import { ask, askOptional, readCapabilities, type LoadedPlugin } from "./load.ts";
import type { HostTimeouts } from "./options.ts";

/** A plugin that has its configuration and has passed the whole gate. */
export interface ConfiguredPlugin {
  readonly loaded: LoadedPlugin;
  /** As the provider itself reports it. */
  readonly version: string;
  /** Resource types that Capabilities lists. */
  readonly resourceTypes: readonly string[];
  readonly identity: string | undefined;
  readonly identityLabels: Readonly<Record<string, string>>;
}

/**
 * Gives a loaded plugin its configuration. Throws `PLUGIN_INITIALIZE` with the plugin's text where it refuses, and
 * what `loadPlugin` throws for the rest. The process is killed on every failure.
 */
export async function configurePlugin(
  loaded: LoadedPlugin,
  config: JsonObject,
  timeouts: Required<HostTimeouts>,
): Promise<ConfiguredPlugin> {
  try {
    const configJson = jsonToBytes(config, "InitializeRequest.config_json");
    await ask(loaded, iac.IaCProviderRequired.method.initialize, {
      timeoutMs: timeouts.initializeMs,
      code: "PLUGIN_INITIALIZE",
      request: { configJson },
    });
    const resourceTypes = loaded.capabilities ?? (await readCapabilities(loaded, timeouts));
    const [identity, version] = await Promise.all([
      readIdentity(loaded, timeouts),
      readProviderVersion(loaded, timeouts),
    ]);
    return { loaded, version, resourceTypes, ...identity };
  } catch (error) {
    loaded.connection.child.kill();
    throw error;
  }
}

/** Who answers, where the plugin can say. */
async function readIdentity(loaded: LoadedPlugin, { initializeMs }: Required<HostTimeouts>) {
  const { getIdentity } = ext.ProviderIdentity.method;
  const reply = loaded.services.has(extServiceNames.ProviderIdentity)
    ? await askOptional(loaded, getIdentity, { timeoutMs: initializeMs, code: "PLUGIN_INITIALIZE" })
    : undefined;
  return { identity: reply?.identity || undefined, identityLabels: reply?.labels ?? {} };
}

/** No plugin is refused for not knowing its version. */
async function readProviderVersion(loaded: LoadedPlugin, { loadCallMs }: Required<HostTimeouts>): Promise<string> {
  const reply = await ask(loaded, iac.IaCProviderRequired.method.version, { timeoutMs: loadCallMs }).catch(
    () => undefined,
  );
  return reply?.version || loaded.version;
}
