import { ProviderError } from "@wfctl/model";

/** The memory and the open calls of one plugin process: gone when it dies. */
export interface PluginProcess {
  readonly alive: boolean;
  /** Objects with deferred work, by id, as a provider that keeps them in memory would. */
  readonly deferred: Set<string>;
  /** Runs that were asked to stop. */
  readonly stopping: Set<string>;
  /** Rejects when the process dies. */
  readonly exit: Promise<never>;
  /** Called when the run is told to stop. */
  onStop(run: string, listener: () => void): () => void;
  stop(run: string): void;
  die(): void;
}

export function createPluginProcess(provider: string): PluginProcess {
  let alive = true;
  let reject: (error: Error) => void = () => undefined;
  const exit = new Promise<never>((_, fail) => (reject = fail));
  exit.catch(() => undefined);
  const listeners = new Map<string, Set<() => void>>();
  const stopping = new Set<string>();
  return {
    get alive() {
      return alive;
    },
    deferred: new Set(),
    stopping,
    exit,
    onStop(run, listener) {
      const own = listeners.get(run) ?? new Set();
      listeners.set(run, own.add(listener));
      return () => own.delete(listener);
    },
    stop(run) {
      stopping.add(run);
      for (const listener of listeners.get(run) ?? []) listener();
    },
    die() {
      alive = false;
      reject(new ProviderError("plugin_exit", `Plugin ${provider} exited`, { answered: false }));
    },
  };
}
