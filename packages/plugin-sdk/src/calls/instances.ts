import { WfctlError, type JsonObject } from "@wfctl/model";
import type { Clock } from "../author/clock.ts";
import type { Identity, Provider } from "../author/define-provider.ts";
import { createLimiter, type Limiter } from "../author/limiter.ts";
import type { Log } from "../author/log.ts";
import { requireInput } from "../schema/input.ts";

/** One configuration of the provider, ready to serve calls. */
export interface Instance {
  readonly client: unknown;
  /** Asked of the provider once; a failure is asked again. */
  identity(): Promise<Identity>;
  limiter(family: string): Limiter | undefined;
  /** Tells which configuration speaks, where it has a name. */
  readonly log: Log;
}

export interface Instances {
  /** Opens, or opens anew under the same name. Waits for nothing but the provider's own `configure`. */
  open(name: string, config: JsonObject): Promise<Instance>;
  /** Undefined where nothing of that name is open. */
  get(name: string): Instance | undefined;
  close(name: string): Promise<void>;
  closeAll(): Promise<void>;
}

/** Name of the configuration that `Initialize` opens. */
export const defaultInstance = "";

export function createInstances(
  provider: Provider,
  environment: { clock: Clock; log: Log; signal: AbortSignal },
): Instances {
  const { clock, signal } = environment;
  const open = new Map<string, Instance>();
  const closeClient = async (instance: Instance | undefined): Promise<void> => {
    if (instance === undefined || provider.close === undefined) return;
    try {
      await provider.close(instance.client);
    } catch (error) {
      instance.log.warn(`Closing a configuration of ${provider.name} failed: ${WfctlError.from(error).message}`);
    }
  };
  return {
    async open(name, config) {
      const what = `configuration of provider ${provider.name}`;
      const input = requireInput(provider.config, config, what, { kind: "provider", unresolved: "refuse" });
      const log = name === defaultInstance ? environment.log : nameLines(environment.log, name);
      const client: unknown = await provider.configure(input, { signal, log });
      const limiters = new Map<string, Limiter>();
      for (const [family, options] of Object.entries(provider.limits ?? {})) {
        limiters.set(family, createLimiter(options, clock));
      }
      let asked: Promise<Identity> | undefined;
      const instance: Instance = {
        client,
        log,
        limiter: (family) => limiters.get(family),
        identity() {
          asked ??= Promise.resolve(provider.identity(client, { signal, log })).catch((error: unknown) => {
            asked = undefined;
            throw error;
          });
          return asked;
        },
      };
      const before = open.get(name);
      open.set(name, instance);
      await closeClient(before);
      return instance;
    },
    get: (name) => open.get(name),
    async close(name) {
      const instance = open.get(name);
      open.delete(name);
      await closeClient(instance);
    },
    async closeAll() {
      const all = [...open.values()];
      open.clear();
      await Promise.all(all.map(closeClient));
    },
  };
}

/** The configuration's name before each line. */
function nameLines(log: Log, name: string): Log {
  const say = (level: keyof Log) => (message: string) => log[level](`${name}: ${message}`);
  return { debug: say("debug"), info: say("info"), warn: say("warn"), error: say("error") };
}
