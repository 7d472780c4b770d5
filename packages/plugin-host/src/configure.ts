import { ext, extServiceNames, iac, jsonToBytes } from "@wfctl/contract";
import type { JsonObject } from "@wfctl/model";

import { ask, askOptional, readCapabilities, type LoadedPlugin } from "./load.ts";
import type { HostTimeouts } from "./options.ts";

/** A plugin that has its configuration and has passed the whole gate. */
export interface ConfiguredPlugin {
  readonly loaded: LoadedPlugin;
  /** Name of the configuration, where the process may have several. */
  readonly instance: string | undefined;
  /** As the provider itself reports it. */
  readonly version: string;
  /** Resource types that Capabilities lists. */
  readonly resourceTypes: readonly string[];
  readonly identity: string | undefined;
  readonly identityLabels: Readonly<Record<string, string>>;
}

/** The plugin advertises several configurations in one process and does not serve them. */
export class ConfigurationsUnserved extends Error {}

/**
 * Gives a loaded plugin its configuration; one of several, by this name, where there is an `instance`. Throws
 * `PLUGIN_INITIALIZE` with the plugin's text where it refuses, `ConfigurationsUnserved`, and what `loadPlugin` throws for
 * the rest. The process is the caller's to end.
 */
export async function configurePlugin(
  loaded: LoadedPlugin,
  config: JsonObject,
  options: { readonly timeouts: Required<HostTimeouts>; readonly instance: string | undefined },
): Promise<ConfiguredPlugin> {
  const { timeouts, instance } = options;
  if (instance === undefined) {
    const configJson = jsonToBytes(config, "InitializeRequest.config_json");
    await ask(loaded, iac.IaCProviderRequired.method.initialize, {
      timeoutMs: timeouts.initializeMs,
      code: "PLUGIN_INITIALIZE",
      request: { configJson },
    });
  } else {
    const configJson = jsonToBytes(config, "OpenConfigurationRequest.config_json");
    const opened = await askOptional(loaded, ext.Configurations.method.open, {
      timeoutMs: timeouts.initializeMs,
      code: "PLUGIN_INITIALIZE",
      request: { instance, configJson },
    });
    if (opened === undefined) throw new ConfigurationsUnserved();
  }
  const resourceTypes = loaded.capabilities ?? (await readCapabilities(loaded, timeouts));
  const [identity, version] = await Promise.all([
    readIdentity(loaded, timeouts, instance),
    readProviderVersion(loaded, timeouts),
  ]);
  return { loaded, instance, version, resourceTypes, ...identity };
}

/** Closes one of several configurations. The process goes on; what goes wrong ends with it. */
export async function closeConfiguration({ loaded, instance }: ConfiguredPlugin, timeoutMs: number): Promise<void> {
  if (instance === undefined || loaded.connection.child.exit !== undefined) return;
  await askOptional(loaded, ext.Configurations.method.close, { timeoutMs, request: { instance } }).catch(() => {});
}

/** Who answers, where the plugin can say. */
async function readIdentity(
  loaded: LoadedPlugin,
  { initializeMs }: Required<HostTimeouts>,
  instance: string | undefined,
) {
  const { getIdentity } = ext.ProviderIdentity.method;
  const reply = loaded.services.has(extServiceNames.ProviderIdentity)
    ? await askOptional(loaded, getIdentity, { timeoutMs: initializeMs, code: "PLUGIN_INITIALIZE", instance })
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
