import { WfctlError } from "@wfctl/model";

import type { LoadedPlugin } from "./load.ts";
import { createRedactor } from "./redact.ts";

/** Where modules have their plugin process from: one module its own, or all modules of a provider the same. */
export interface PluginSource {
  /**
   * The plugin loaded and alive; started where it was not, or has died since. Users at the same time share one start.
   * Rejects with the signal's reason when it aborts: the user has left then, and what nobody else uses is killed.
   */
  take(user: object, signal: AbortSignal): Promise<LoadedPlugin>;
  /** The user needs the process no more. Where nobody else does it is shut down, and gone when this resolves. */
  release(user: object, exitMs: number): Promise<void>;
  /** The same with SIGKILL, at once. */
  kill(user: object): void;
  /** Hides secrets of one more configuration in what the process prints and answers. */
  hide(secrets: readonly string[]): void;
}

/** `start` kills what it started when its signal aborts. */
export function createPluginSource(
  provider: string,
  start: (signal: AbortSignal, redact: (text: string) => string) => Promise<LoadedPlugin>,
): PluginSource {
  const users = new Set<object>();
  const secrets = new Set<string>();
  let redact = createRedactor([]);
  let current: Started | undefined;
  const abandoned: Started[] = [];

  const begin = (): Started => {
    const ending = new AbortController();
    const started: Started = { plugin: start(ending.signal, (text) => redact(text)), ending, loaded: undefined };
    started.plugin.then(
      (loaded) => (started.loaded = loaded),
      () => {
        // The next one that needs it starts afresh.
        if (current === started) current = undefined;
      },
    );
    return (current = started);
  };
  const alive = async (): Promise<LoadedPlugin> => {
    const known = current ?? begin();
    const loaded = await known.plugin;
    if (loaded.connection.child.exit === undefined) return loaded;
    return await (current === undefined || current === known ? begin() : current).plugin;
  };
  /** What nobody uses any more; a start of it is ended. */
  const abandon = (user: object): Started | undefined => {
    if (!users.delete(user) || users.size > 0 || current === undefined) return undefined;
    const started = current;
    current = undefined;
    abandoned.push(started);
    started.ending.abort(new WfctlError("CANCELLED", `Start of the plugin for provider "${provider}" was cancelled`));
    return started;
  };
  const kill = (user: object): void => abandon(user)?.loaded?.connection.child.kill();

  return {
    async take(user, signal) {
      users.add(user);
      const aborted = Promise.withResolvers<never>();
      aborted.promise.catch(() => {});
      const abort = (): void => {
        kill(user);
        aborted.reject(signal.reason);
      };
      if (signal.aborted) abort();
      signal.addEventListener("abort", abort, { once: true });
      try {
        return await (signal.aborted ? aborted.promise : Promise.race([aborted.promise, alive()]));
      } finally {
        signal.removeEventListener("abort", abort);
      }
    },
    async release(user, exitMs) {
      abandon(user);
      await Promise.all(
        abandoned.splice(0).map(async ({ plugin }) => (await plugin.catch(() => {}))?.connection.shutdown(exitMs)),
      );
    },
    kill,
    hide(more) {
      for (const secret of more) secrets.add(secret);
      redact = createRedactor([...secrets]);
    },
  };
}

interface Started {
  readonly plugin: Promise<LoadedPlugin>;
  /** Ends the start; of no effect once the plugin is loaded. */
  readonly ending: AbortController;
  loaded: LoadedPlugin | undefined;
}
