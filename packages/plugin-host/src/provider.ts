import {
  decodeSizing,
  encodeCallContext,
  encodeHints,
  ext,
  extServiceNames,
  iac,
  iacServiceNames,
  toProviderError,
  unaryCall,
} from "@wfctl/contract";
import type { CallOptions, Clock, LiveObject, ProviderFeatures } from "@wfctl/engine";
import { ProviderError, type JsonObject, type PluginProcess } from "@wfctl/model";

import { callFailure } from "./call-failure.ts";
import { closeConfiguration, configurePlugin } from "./configure.ts";
import type { HostCallOptions } from "./drivers.ts";
import { computePlanVersion } from "./engine-compat.ts";
import { listObjects } from "./list-objects.ts";
import { isUnimplemented } from "./load-failure.ts";
import type { LoadedPlugin } from "./load.ts";
import type { HostTimeouts, PluginProvider } from "./options.ts";
import { listTypes, traitsOf } from "./plugin-schemas.ts";
import type { PluginSource } from "./plugin-source.ts";
import { readMachineIdentity } from "./process-identity.ts";
import { createSupervised } from "./restarts.ts";
import { createRunning, type RunningProvider } from "./running.ts";
import { createCallNotice } from "./tell-waiting.ts";
import { callUnary } from "./unary-call.ts";

export interface CreateProviderOptions {
  readonly module: string;
  readonly provider: string;
  readonly config: JsonObject;
  readonly first: LoadedPlugin;
  /** Where `first` comes from, and what comes after it; `user` has taken it there. */
  readonly source: PluginSource;
  readonly user: object;
  /** Name of the configuration, where the process may have several. */
  readonly instance: string | undefined;
  readonly timeouts: Required<HostTimeouts>;
  readonly clock: Clock;
  readonly log: (line: string) => void;
  readonly onProcess: (process: PluginProcess) => Promise<void>;
  readonly signal: AbortSignal;
}

/** `Stop` only passes word on. */
const stopTimeoutMs = 3_000;
/** As long as a plugin has for closing one of its configurations. */
const closeTimeoutMs = 1_500;

/**
 * Configures a loaded plugin and makes it the engine's provider. Throws what `configurePlugin` throws; the user has left
 * the source then, and a process that nobody else uses is killed.
 */
export async function createProvider(options: CreateProviderOptions): Promise<PluginProvider> {
  const { module, provider, config, timeouts, log, clock, source, user, instance } = options;

  const configure = async (loaded: LoadedPlugin, signal: AbortSignal): Promise<RunningProvider> => {
    const aborted = Promise.withResolvers<never>();
    aborted.promise.catch(() => {});
    const abort = (): void => aborted.reject(signal.reason);
    if (signal.aborted) abort();
    signal.addEventListener("abort", abort, { once: true });
    const begin = async (): Promise<RunningProvider> => {
      const process = describeProcess(module, loaded);
      await options.onProcess(process);
      return createRunning(await configurePlugin(loaded, config, { timeouts, instance }), process, clock);
    };
    try {
      return await Promise.race([aborted.promise, begin()]);
    } catch (error) {
      source.kill(user);
      throw error;
    } finally {
      signal.removeEventListener("abort", abort);
    }
  };

  const first = await configure(options.first, options.signal);
  const { title, waiting } = first.plugin.loaded.subject;
  const tellLate = createCallNotice(waiting, title);
  const supervised = createSupervised<RunningProvider>({
    first,
    async start(signal) {
      const running = await configure(await source.take(user, signal), signal);
      if (running.plugin.identity === first.plugin.identity) return running;
      source.kill(user);
      throw new ProviderError(
        "forbidden",
        `Plugin ${title} answers for ${running.plugin.identity ?? "nobody"} since its restart, and for ${first.plugin.identity ?? "nobody"} before`,
      );
    },
    isDead: (running) => running.plugin.loaded.connection.child.exit !== undefined,
    title: `Plugin ${title}`,
    clock,
    log,
  });

  let last = first;
  const call = async <T>(
    callOptions: CallOptions,
    send: (running: RunningProvider, own: HostCallOptions) => Promise<T>,
  ): Promise<T> => {
    const running = await supervised.acquire(callOptions.signal);
    last = running;
    try {
      return await send(running, instance === undefined ? callOptions : { ...callOptions, instance });
    } catch (thrown) {
      throw await callFailure(thrown, running.plugin.loaded.subject, callOptions.signal);
    }
  };
  /** A call that the engine does not report on while it lasts. */
  const ask = <T>(
    name: string,
    callOptions: CallOptions,
    send: (running: RunningProvider, own: HostCallOptions) => Promise<T>,
  ): Promise<T> => tellLate(call(callOptions, send), name, callOptions.timeoutMs);
  const callObject = <T extends LiveObject | undefined>(
    type: string,
    callOptions: CallOptions,
    send: (running: RunningProvider, own: HostCallOptions) => Promise<T>,
  ): Promise<T> =>
    call(callOptions, async (running, own) => {
      const [object, keys] = await Promise.all([send(running, own), running.sensitiveKeys(type)]);
      return object && markSensitive(object, keys);
    });
  const current = () => supervised.current().plugin;

  let shutdown: Promise<void> | undefined;
  const endProcess = async (): Promise<void> => {
    supervised.current().session?.end();
    const running = await supervised.close();
    if (running !== undefined) await closeConfiguration(running.plugin, closeTimeoutMs);
    await source.release(user, timeouts.exitMs);
  };

  return {
    module,
    name: provider,
    get version() {
      return current().version;
    },
    get identity() {
      return current().identity;
    },
    get identityLabels() {
      return current().identityLabels;
    },
    get stableIdentity() {
      return current().loaded.schemas?.stableIdentity ?? current().identity === undefined;
    },
    get schemaDigest() {
      return current().loaded.schemas?.digest ?? "";
    },
    get resourceTypes() {
      return listTypes(current().loaded.schemas, current().resourceTypes);
    },
    get configSchema() {
      return current().loaded.schemas?.configSchema;
    },
    get process() {
      return supervised.current().process;
    },
    get features() {
      return featuresOf(current().loaded);
    },
    traits: (type) => traitsOf(type, current().loaded.schemas, current().resourceTypes),
    create: (spec, callOptions) => callObject(spec.type, callOptions, ({ drivers }, own) => drivers.create(spec, own)),
    listObjects: (which, callOptions) =>
      ask("the list of its objects", callOptions, ({ plugin }, own) => listObjects(plugin.loaded, which, own)),
    importId: (type, id, callOptions) =>
      ask(`Import of "${id}"`, callOptions, async ({ plugin }, own) => {
        const { import: method } = iac.IaCProviderRequired.method;
        const request = { providerId: id, resourceType: type };
        try {
          const { response } = await callUnary(plugin.loaded.connection.client, method, request, own);
          return response.state?.providerId || id;
        } catch (error) {
          if (!(error instanceof ProviderError)) throw error;
          if (error.class === "not_found") return undefined;
          // The driver's Read takes ids as well.
          if (isUnimplemented(error.cause)) return id;
          throw error;
        }
      }),
    read: (ref, callOptions) =>
      tellLate(
        callObject(ref.type, callOptions, ({ drivers }, own) => drivers.read(ref, own)),
        `Read of "${ref.name}"`,
        callOptions.timeoutMs,
      ),
    update: (ref, spec, callOptions) =>
      callObject(spec.type, callOptions, ({ drivers }, own) => drivers.update(ref, spec, own)),
    delete: (ref, callOptions) => call(callOptions, ({ drivers }, own) => drivers.delete(ref, own)),
    diff: (spec, object, callOptions) =>
      ask(`Diff of "${spec.name}"`, callOptions, ({ drivers }, own) => drivers.diff(spec, object, own)),
    lookup: (type, clientToken, name, callOptions) =>
      callObject(type, callOptions, ({ drivers }, own) => drivers.lookup(type, clientToken, name, own)),
    resolveSizing: (type, size, hints, callOptions) =>
      ask(`ResolveSizing of ${type}`, callOptions, async ({ plugin }, own) => {
        const request = { resourceType: type, size, ...(hints === undefined ? {} : { hints: encodeHints(hints) }) };
        const { resolveSizing } = iac.IaCProviderRequired.method;
        try {
          const { response } = await callUnary(plugin.loaded.connection.client, resolveSizing, request, own);
          return decodeSizing(response.sizing);
        } catch (error) {
          if (error instanceof ProviderError && isUnimplemented(error.cause)) return undefined;
          throw error;
        }
      }),
    finalize: (planId, callOptions) =>
      ask("FinalizeApply", callOptions, async ({ plugin }, own) => {
        const { finalizeApply } = iac.IaCProviderFinalizer.method;
        const { response } = await callUnary(plugin.loaded.connection.client, finalizeApply, { planId }, own);
        return response.errors.map(({ resource, action, error }) => ({ resource, action, error }));
      }),
    async stop(run) {
      const { loaded } = current();
      const { child, client } = loaded.connection;
      // A dead process has stopped.
      if (child.exit !== undefined || !loaded.services.has(extServiceNames.RunControl)) return;
      try {
        const metadata = encodeCallContext(instance === undefined ? {} : { instance });
        const deadline = Date.now() + stopTimeoutMs;
        await unaryCall(client, ext.RunControl.method.stop, { run }, { metadata, deadline });
      } catch (error) {
        if (child.exit === undefined && !isUnimplemented(error)) throw toProviderError(error);
      }
    },
    processGone: () => last.plugin.loaded.connection.child.exit !== undefined,
    shutdown: () => (shutdown ??= endProcess()),
    kill() {
      void supervised.close();
      source.kill(user);
    },
    [Symbol.asyncDispose]: () => (shutdown ??= endProcess()),
  };
}

/** Only keys that the outputs have: an absent value is no secret. */
function markSensitive<T extends LiveObject>(object: T, keys: readonly string[]): T {
  const sensitive = new Set(object.sensitive);
  for (const key of keys) if (Object.hasOwn(object.outputs, key)) sensitive.add(key);
  return sensitive.size === object.sensitive.length ? object : { ...object, sensitive: [...sensitive].toSorted() };
}

function featuresOf({ services, schemas }: LoadedPlugin): ProviderFeatures {
  return {
    drivers: services.has(iacServiceNames.ResourceDriver) || services.has(extServiceNames.DriverSession),
    finalizer: services.has(iacServiceNames.IaCProviderFinalizer),
    clientTokens: schemas?.clientTokens ?? false,
    lookup: services.has(extServiceNames.ClientTokens),
    stop: services.has(extServiceNames.RunControl),
    ownLimits: schemas?.ownLimits ?? false,
    readsInputs: schemas?.readsInputs ?? false,
  };
}

function describeProcess(module: string, loaded: LoadedPlugin): PluginProcess {
  const { connection, subject, version, capabilities } = loaded;
  const { pid, startTime } = connection.child;
  return {
    provider: module,
    plugin: subject.plugin,
    version,
    pid,
    startTime,
    ...readMachineIdentity(),
    // Types are there only from a plugin that has passed the gate.
    ...(capabilities === undefined ? {} : { computePlanVersion }),
  };
}
