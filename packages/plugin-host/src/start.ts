import { killOnAbort, launchPlugin, type PluginChild } from "./launch.ts";
import type { LoadedPlugin, LoadOptions } from "./load.ts";
import type { ProcessGuard } from "./process-guard.ts";

export interface StartOptions extends Omit<LoadOptions, "capabilitiesFirst"> {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly guard: ProcessGuard;
}

/**
 * Launches a plugin that has passed the manifest gate and loads it. What speaks to it is loaded while it starts, and not
 * before: that takes this process as long as the start takes the other one.
 * Throws what `launchPlugin` and `loadPlugin` throw; no process is left then, nor when the signal aborts.
 */
export async function startPlugin(options: StartOptions, signal: AbortSignal): Promise<LoadedPlugin> {
  const { plugin } = options.found;
  const launch = (): Promise<PluginChild> =>
    launchPlugin({
      waiting: options.waiting,
      name: plugin.folder,
      executable: plugin.executable,
      directory: plugin.directory,
      env: options.env,
      guard: options.guard,
      startTimeoutMs: options.timeouts.startMs,
      log: options.log,
      redact: options.redact,
      signal,
    });
  const [child, { loadPlugin, EarlyCapabilitiesCrash }] = await Promise.all([
    launch(),
    import("./load.ts"),
    import("./provider.ts"),
  ]);
  const load = (launched: PluginChild, capabilitiesFirst: boolean): Promise<LoadedPlugin> =>
    killOnAbort(launched, signal, () => loadPlugin(launched, { ...options, capabilitiesFirst }));
  try {
    return await load(child, true);
  } catch (error) {
    if (!(error instanceof EarlyCapabilitiesCrash)) throw error;
    return await load(await launch(), false);
  }
}
