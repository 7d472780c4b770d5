import { derivedSecretName, secretRefPrefix } from "@wfctl/contract";
import type { CallOptions, Hooks, LiveObject, Provider, Ref, Spec } from "@wfctl/engine";
import { ProviderError, WfctlError, type Json, type JsonObject, type ResourceRecord } from "@wfctl/model";
import type { SecretStore } from "./secret-store.ts";

interface Recorded {
  readonly providerId: string;
  readonly outputs: JsonObject;
  readonly sensitiveOutputs: readonly string[];
  readonly deposed?: readonly { readonly providerId: string }[];
}

export interface SecretRouterOptions {
  readonly store: SecretStore;
  /** Keyed digest of a text: two values of one secret are told apart by it, and nothing else is. */
  readonly digest: (text: string) => string;
  /** What the state records of a resource, before the run. */
  readonly recorded: (resource: string) => Recorded | undefined;
}

/**
 * Keeps sensitive outputs in a secret store: the state holds references in their place. Of a store that cannot be read
 * they are copies: the state keeps the values, sealed.
 */
export interface SecretRouter {
  /** The provider, with references resolved on their way in and secret outputs routed on their way out. */
  route<P extends Provider>(provider: P): P;
  /** Refuses what was made while the store refused its secrets: a created object is deleted again. */
  readonly hooks: Pick<Hooks, "onResourceApplied">;
  /**
   * For what a dead process left open: whether it had come to store its secrets is not known. Reads store what they
   * find, and the hooks refuse a record whose secrets the store does not hold.
   */
  readonly recovery: {
    route<P extends Provider>(provider: P): P;
    readonly hooks: Pick<Hooks, "onResourceApplied" | "onResourceDeleted">;
  };
}

/** `secret_ref://NAME#digest` anywhere in a text. */
const reference = /secret_ref:\/\/([A-Za-z0-9_]{1,100})#([0-9a-f]{16})/g;

export function createSecretRouter({ store, digest, recorded }: SecretRouterOptions): SecretRouter {
  const fresh = new Map<string, string>();
  const routed = new Map<string, { readonly providerId: string; readonly names: readonly string[] }>();
  const failures = new Map<string, WfctlError>();
  /** Resources whose last write ended without an answer: what a Read finds of them has not been routed. */
  const unanswered = new Set<string>();
  /** Ids of objects that were deleted here. */
  const gone = new Set<string>();

  const referTo = (name: string, value: string): string =>
    `${secretRefPrefix}${name}#${digest(value)
      .replaceAll(/[^0-9a-f]/g, "")
      .padEnd(16, "0")
      .slice(0, 16)}`;

  const resolveText = async (text: string): Promise<string> => {
    let result = text;
    for (const [whole, name = ""] of text.matchAll(reference)) {
      const value = fresh.get(name) ?? (await store.get(name));
      if (value === undefined) {
        throw new ProviderError(
          "validation",
          `The secret "${name}" is not in the secret store ${store.label} any more`,
        );
      }
      result = result.replaceAll(whole, () => value);
    }
    return result;
  };
  const resolve = async (value: Json): Promise<Json> => {
    if (typeof value === "string") return value.includes(secretRefPrefix) ? resolveText(value) : value;
    if (value === null || typeof value !== "object") return value;
    if (Array.isArray(value)) return Promise.all(value.map((item: Json) => resolve(item)));
    const entries = Object.entries(value as JsonObject).map(async ([key, member]) => [key, await resolve(member)]);
    return Object.fromEntries((await Promise.all(entries)) as [string, Json][]) as JsonObject;
  };
  const resolveAll = async <T extends Json>(value: T): Promise<T> => {
    if (!JSON.stringify(value).includes(secretRefPrefix)) return value;
    try {
      return (await resolve(value)) as T;
    } catch (error) {
      if (error instanceof ProviderError) throw error;
      throw new ProviderError("validation", error instanceof Error ? error.message : String(error), { cause: error });
    }
  };
  const intoSpec = async (spec: Spec): Promise<Spec> => ({ ...spec, config: await resolveAll(spec.config) });

  const secretsOf = (provider: Provider, live: LiveObject): [string, string][] => {
    const declared = provider.traits(live.type)?.sensitiveOutputs ?? [];
    const keys = new Set([...live.sensitive, ...declared]);
    return [...keys].toSorted().flatMap((key) => {
      const value = live.outputs[key];
      return typeof value === "string" && value !== "" ? [[key, value] as [string, string]] : [];
    });
  };

  /** After a call that wrote: the secrets go into the store before anything is recorded. */
  const routeOut = async (provider: Provider, resource: string, live: LiveObject): Promise<LiveObject> => {
    const outputs: Record<string, Json> = { ...live.outputs };
    const names: string[] = [];
    failures.delete(resource);
    unanswered.delete(resource);
    for (const [key, value] of secretsOf(provider, live)) {
      const name = derivedSecretName(resource, key);
      if (store.readable) outputs[key] = referTo(name, value);
      names.push(name);
      fresh.set(name, value);
      try {
        await store.set(name, value);
      } catch (error) {
        failures.set(resource, WfctlError.from(error, "STORE_UNAVAILABLE"));
      }
    }
    routed.set(resource, { providerId: live.providerId, names });
    return { ...live, outputs };
  };

  const writeAndRoute = async (
    provider: Provider,
    resource: string,
    write: () => Promise<LiveObject>,
  ): Promise<LiveObject> => {
    unanswered.add(resource);
    return routeOut(provider, resource, await write());
  };

  /** After a Read of what may have been written without an answer. The old object of a replace has no secret of its own. */
  const routeFound = (provider: Provider, resource: string, live: LiveObject): Promise<LiveObject> | LiveObject => {
    const isOld = recorded(resource)?.deposed?.some((old) => old.providerId === live.providerId) === true;
    return isOld ? keepOut(provider, resource, live) : routeOut(provider, resource, live);
  };

  /** After a Read: nothing is written, so what the state refers to is what is kept. */
  const keepOut = (provider: Provider, resource: string, live: LiveObject): LiveObject => {
    if (!store.readable) return live;
    const outputs: Record<string, Json> = { ...live.outputs };
    const before = recorded(resource)?.outputs ?? {};
    for (const [key, value] of secretsOf(provider, live)) {
      const kept = before[key];
      const isRouted = routed.get(resource)?.providerId === live.providerId;
      if (isRouted) outputs[key] = referTo(derivedSecretName(resource, key), value);
      else if (typeof kept === "string" && kept.startsWith(secretRefPrefix)) outputs[key] = kept;
      else delete outputs[key];
    }
    return { ...live, outputs };
  };

  /** The object that the resource has again once this one is gone: that of before, or one that is still to be deleted. */
  const findOlder = async (provider: Provider, ref: Ref, options: CallOptions): Promise<LiveObject | undefined> => {
    const before = recorded(ref.name);
    const ids = [before?.providerId, ...(before?.deposed ?? []).map((old) => old.providerId).toReversed()];
    for (const id of ids) {
      if (id === undefined || id === "" || gone.has(id)) continue;
      const live = await provider.read({ ...ref, providerId: id }, options).catch(() => undefined);
      if (live !== undefined) return live;
    }
    return undefined;
  };

  const revoke = async (ref: Ref, older?: () => Promise<LiveObject | undefined>): Promise<LiveObject | undefined> => {
    const own = routed.get(ref.name);
    const before = recorded(ref.name);
    gone.add(ref.providerId);
    // The old object of a replace must not take the secrets of the new one with it.
    if (own !== undefined && own.providerId !== ref.providerId) return undefined;
    if (own === undefined && before?.providerId !== ref.providerId) return undefined;
    const names = own?.names ?? (before?.sensitiveOutputs ?? []).map((key) => derivedSecretName(ref.name, key));
    // Where a replace is undone, the names are those of the object before.
    const live = names.length === 0 ? undefined : await older?.();
    if (live !== undefined) return live;
    for (const name of names) {
      fresh.delete(name);
      await store.delete(name);
    }
    routed.delete(ref.name);
    return undefined;
  };

  const wrap = <P extends Provider>(provider: P, recovers: boolean): P => {
    const own: Partial<Provider> = {
      create: (spec, options) =>
        writeAndRoute(provider, spec.name, async () => provider.create(await intoSpec(spec), options)),
      update: (ref, spec, options) =>
        writeAndRoute(provider, spec.name, async () => provider.update(ref, await intoSpec(spec), options)),
      read: async (ref, options) => {
        const live = await provider.read(ref, options);
        if (live === undefined) return undefined;
        return recovers || unanswered.has(ref.name)
          ? routeFound(provider, ref.name, live)
          : keepOut(provider, ref.name, live);
      },
      lookup: async (type, token, name, options) => {
        const live = await provider.lookup(type, token, name, options);
        return live === undefined ? undefined : routeOut(provider, name, live);
      },
      diff: async (spec, current, options) =>
        provider.diff(
          await intoSpec(spec),
          {
            ...current,
            outputs: await resolveAll(current.outputs),
            ...(current.inputs === undefined ? {} : { inputs: await resolveAll(current.inputs) }),
          },
          options,
        ),
      delete: async (ref, options) => {
        await provider.delete(ref, options);
        const older = await revoke(ref, () => findOlder(provider, ref, options));
        if (older !== undefined) await routeOut(provider, ref.name, older);
      },
    };
    return new Proxy(provider, {
      get(target, key) {
        if (Object.hasOwn(own, key)) return own[key as keyof Provider];
        const value = Reflect.get(target, key, target) as unknown;
        return typeof value === "function" ? (value.bind(target) as unknown) : value;
      },
    });
  };

  const takeFailure = (resource: string): void => {
    const failure = failures.get(resource);
    failures.delete(resource);
    if (failure !== undefined) throw failure;
  };

  /** A write-only store is given the secrets again; of any other it is asked whether it holds them. */
  const confirmStored = async ({ name: resource, outputs, sensitiveOutputs }: ResourceRecord): Promise<void> => {
    if (routed.has(resource)) return;
    for (const key of sensitiveOutputs) {
      const value = outputs[key];
      if (typeof value !== "string" || value === "") continue;
      const name = derivedSecretName(resource, key);
      if (!store.readable) {
        await store.set(name, value);
        continue;
      }
      if (!value.startsWith(secretRefPrefix)) continue;
      const held = await store.get(name);
      if (held !== undefined && referTo(name, held) === value) continue;
      const what = held === undefined ? "does not hold it" : "holds another value";
      throw new WfctlError(
        "STORE_UNAVAILABLE",
        `The process died before the secret "${name}" was stored: ${store.label} ${what}`,
        { hint: "Apply again: what the secret belongs to is made again or compared" },
      );
    }
  };

  return {
    route: (provider) => wrap(provider, false),
    hooks: { onResourceApplied: async (_run, _action, record) => takeFailure(record.name) },
    recovery: {
      route: (provider) => wrap(provider, true),
      hooks: {
        async onResourceApplied(_run, _action, record) {
          takeFailure(record.name);
          await confirmStored(record);
        },
        async onResourceDeleted(_run, _action, resource) {
          const before = recorded(resource);
          if (before !== undefined) await revoke({ name: resource, type: "", providerId: before.providerId });
        },
      },
    },
  };
}
