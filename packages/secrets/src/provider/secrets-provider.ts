import type { DiffReply, LiveObject, Provider, Ref, Spec, TypeTraits } from "@wfctl/engine";
import { ProviderError, type FieldChange, type Json, type JsonObject } from "@wfctl/model";
import { generateSecret, randomKinds, type RandomKind } from "../random.ts";
import type { SecretStore } from "../secret-store.ts";
import { createSpacesKey, deleteSpacesKey, type CredentialApi } from "./spaces-credential.ts";

/** Name of the provider that is built in: no plugin serves it. */
export const secretsProviderName = "wfctl.secrets";

export interface SecretsProviderOptions {
  readonly module: string;
  readonly version: string;
  /** The store of a name; throws where there is none. */
  readonly store: (name: string) => SecretStore;
  /** Outputs that the state records: what a store that cannot be read would not tell. */
  readonly recorded: (resource: string) => JsonObject | undefined;
  readonly credentials: CredentialApi;
}

const types: ReadonlyMap<string, TypeTraits> = new Map([
  [
    "secret.random",
    { convergentCreate: true, sensitiveOutputs: ["value"], forceNew: ["key", "generator", "length"], settleMs: 0 },
  ],
  [
    "secret.output",
    { convergentCreate: true, sensitiveInputs: ["value"], sensitiveOutputs: ["value"], forceNew: ["key"], settleMs: 0 },
  ],
  [
    "secret.provider_credential",
    { sensitiveOutputs: ["access_key", "secret_key"], forceNew: ["key", "source", "name"] },
  ],
]);

/**
 * Generated secrets as resources: values that are made once, outputs that are copied into a store, credentials of a
 * provider. The provider's id is the secret's key. A value that a readable store holds already under the key is kept.
 */
export function createSecretsProvider(options: SecretsProviderOptions): Provider {
  const { module, version, recorded, credentials } = options;
  const storeOf = (config: JsonObject | undefined): SecretStore | undefined => {
    const name = config?.["store"];
    return typeof name === "string" ? options.store(name) : undefined;
  };
  const live = (spec: Spec | Ref, outputs: JsonObject, created?: boolean): LiveObject => ({
    name: spec.name,
    type: spec.type,
    providerId: "providerId" in spec ? spec.providerId : textOf(spec.config, "key"),
    outputs,
    sensitive: types.get(spec.type)?.sensitiveOutputs ?? [],
    status: "running",
    ...(created === undefined ? {} : { created }),
  });

  const write = async (spec: Spec): Promise<LiveObject> => {
    const { config, type } = spec;
    const key = textOf(config, "key");
    const store = storeOf(config);
    const outputs = (values: JsonObject): JsonObject => ({
      ...values,
      ...Object.fromEntries(
        ["store", "generator", "length"].flatMap((name) => (config[name] === undefined ? [] : [[name, config[name]]])),
      ),
    });
    if (type === "secret.provider_credential") {
      const made = await createSpacesKey(textOf(config, "name", key), credentials);
      await store?.set(`${key}_access_key`, made.accessKey);
      await store?.set(`${key}_secret_key`, made.secretKey);
      return live(spec, outputs({ access_key: made.accessKey, secret_key: made.secretKey }), true);
    }
    if (type === "secret.output") {
      const value = config["value"];
      if (typeof value !== "string") {
        throw new ProviderError(
          "validation",
          `The value of secret "${key}" is no text, expected an output that is text`,
        );
      }
      await store?.set(key, value);
      return live(spec, outputs({ value }), true);
    }
    const before = recorded(spec.name);
    const sameRecipe = before !== undefined && !changedRecipe(spec, live(spec, before));
    const known = sameRecipe ? before["value"] : undefined;
    const kept = store?.readable === true && (before === undefined || sameRecipe) ? await store.get(key) : undefined;
    const value = kept ?? (typeof known === "string" ? known : generate(config));
    if (kept === undefined) await store?.set(key, value);
    return live(spec, outputs({ value }), kept === undefined);
  };

  const guarded = async <T>(work: () => Promise<T>): Promise<T> => {
    try {
      return await work();
    } catch (error) {
      if (error instanceof ProviderError) throw error;
      const message = error instanceof Error ? error.message : String(error);
      throw new ProviderError("transient", message, { cause: error });
    }
  };

  const read = async (ref: Ref): Promise<LiveObject | undefined> => {
    const outputs = recorded(ref.name);
    if (outputs === undefined) return undefined;
    const store = storeOf(outputs);
    if (store === undefined || !store.readable || ref.type === "secret.provider_credential") return live(ref, outputs);
    const value = await store.get(ref.providerId);
    return value === undefined ? undefined : live(ref, { ...outputs, value });
  };

  return {
    module,
    name: secretsProviderName,
    version,
    identity: undefined,
    schemaDigest: "secrets/1",
    features: {
      drivers: true,
      finalizer: false,
      clientTokens: true,
      lookup: false,
      stop: false,
      ownLimits: false,
      readsInputs: false,
    },
    traits: (type) => types.get(type),
    create: (spec) => guarded(() => write(spec)),
    read: (ref) => guarded(() => read(ref)),
    update: (_ref, spec) => guarded(() => write(spec)),
    delete: (ref) =>
      guarded(async () => {
        const outputs = recorded(ref.name);
        const store = storeOf(outputs);
        if (ref.type !== "secret.provider_credential") {
          await store?.delete(ref.providerId);
          return;
        }
        const accessKey = outputs?.["access_key"];
        if (typeof accessKey === "string") await deleteSpacesKey(accessKey, credentials);
        await store?.delete(`${ref.providerId}_access_key`);
        await store?.delete(`${ref.providerId}_secret_key`);
      }),
    diff: (spec, current) => Promise.resolve(diff(spec, current)),
    resolveSizing: () => Promise.resolve(undefined),
    lookup: () => Promise.resolve(undefined),
    finalize: () => Promise.resolve([]),
    stop: () => Promise.resolve(),
    processGone: () => false,
  };
}

function diff(spec: Spec, current: LiveObject): DiffReply {
  const changes: FieldChange[] = [];
  const compare = (path: string, old: Json | undefined, now: Json | undefined, sensitive = false): void => {
    if (old === now) return;
    changes.push({
      path,
      ...(old === undefined ? {} : { old }),
      ...(now === undefined ? {} : { new: now }),
      forceNew: false,
      ...(sensitive ? { sensitive } : {}),
    });
  };
  compare("store", current.outputs["store"], spec.config["store"]);
  if (spec.type === "secret.output") compare("value", current.outputs["value"], spec.config["value"], true);
  const replaces = current.providerId !== textOf(spec.config, "key") || changedRecipe(spec, current);
  if (replaces) changes.push({ path: "key", old: current.providerId, new: textOf(spec.config, "key"), forceNew: true });
  return { needsUpdate: changes.length > 0 && !replaces, needsReplace: replaces, changes };
}

/** A generated value is another one when its recipe is. */
function changedRecipe(spec: Spec, current: LiveObject): boolean {
  if (spec.type !== "secret.random") return false;
  return ["generator", "length"].some((key) => spec.config[key] !== current.outputs[key]);
}

function generate(config: JsonObject): string {
  const kind = textOf(config, "generator");
  const length = typeof config["length"] === "number" ? config["length"] : 32;
  if (!(randomKinds as readonly string[]).includes(kind) || !Number.isInteger(length) || length < 1 || length > 4096) {
    throw new ProviderError("validation", `A secret of kind "${kind}" and length ${length} cannot be generated`);
  }
  return generateSecret(kind as RandomKind, length);
}

function textOf(config: JsonObject, key: string, fallback = ""): string {
  const value = config[key];
  return typeof value === "string" && value !== "" ? value : fallback;
}
