import type { Provider } from "../ports/index.ts";
import { asProviderError } from "./dispatch.ts";

/**
 * The providers, those with a finalizer watched: `exited` is told of each whose plugin process ended in the middle of a
 * call, whoever made the call. Such a process takes with it what its finalizer was to do.
 */
export function watchExits(
  providers: ReadonlyMap<string, Provider>,
  exited: (module: string) => void,
): ReadonlyMap<string, Provider> {
  if (![...providers.values()].some((provider) => provider.features.finalizer)) return providers;
  const watched = new Map<string, Provider>();
  for (const [module, provider] of providers)
    watched.set(module, provider.features.finalizer ? watch(provider, () => exited(module)) : provider);
  return watched;
}

function watch(provider: Provider, exited: () => void): Provider {
  const seen = async <T>(call: Promise<T>): Promise<T> => {
    try {
      return await call;
    } catch (thrown) {
      if (asProviderError(thrown).class === "plugin_exit") exited();
      throw thrown;
    }
  };
  return {
    module: provider.module,
    name: provider.name,
    version: provider.version,
    identity: provider.identity,
    schemaDigest: provider.schemaDigest,
    features: provider.features,
    traits: (type) => provider.traits(type),
    create: (spec, options) => seen(provider.create(spec, options)),
    read: (ref, options) => seen(provider.read(ref, options)),
    update: (ref, spec, options) => seen(provider.update(ref, spec, options)),
    delete: (ref, options) => seen(provider.delete(ref, options)),
    diff: (spec, current, options) => seen(provider.diff(spec, current, options)),
    resolveSizing: (type, size, hints, options) => seen(provider.resolveSizing(type, size, hints, options)),
    lookup: (type, token, name, options) => seen(provider.lookup(type, token, name, options)),
    finalize: (planId, options) => seen(provider.finalize(planId, options)),
    stop: (run) => provider.stop(run),
    processGone: () => provider.processGone(),
  };
}
