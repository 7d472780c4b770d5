import { randomUUID } from "node:crypto";
import { hostname } from "node:os";
import { ProviderFailure, type JsonObject, type StateBackend } from "@wfctl/plugin-sdk";
import type { StateRecord } from "../services/types.ts";
import { openStore, type ObjectStore } from "./s3-store.ts";

/** A lock that no one has renewed for so long belongs to no one any more. */
const lockLifetimeMs = 900_000;
const renewEveryMs = 300_000;

interface Lock {
  readonly id: string;
  readonly holder: string;
  readonly expiresAt: string;
}

/**
 * Upstream's state in S3: one object per record, in upstream's layout. Locks are made only where there is none; unlike
 * upstream's they name their holder and expire when it no longer renews them.
 */
export function createStateBackend(version: string, now: () => number = Date.now): StateBackend {
  let store: ObjectStore | undefined;
  const held = new Map<string, { lock: Lock; timer: NodeJS.Timeout }>();
  const open = (): ObjectStore => {
    if (store !== undefined) return store;
    throw new ProviderFailure("validation", "The state backend s3 is not configured");
  };
  const freshLock = (id: string): Lock => ({
    id,
    holder: `${hostname()} (process ${process.pid})`,
    expiresAt: new Date(now() + lockLifetimeMs).toISOString(),
  });

  const renew = async (key: string, id: string): Promise<void> => {
    const found = await open().get(key);
    if (found === undefined || readLock(found.text)?.id !== id) return;
    await open().put(key, JSON.stringify(freshLock(id)), { etag: found.etag });
  };

  return {
    names: ["s3"],
    async configure(_name, config) {
      store = await openStore(config, version);
    },
    async get(resourceId) {
      const found = await open().get(recordKey(resourceId));
      return found === undefined ? undefined : readRecord(found.text, recordKey(resourceId));
    },
    async save(record) {
      await open().put(recordKey(record.resourceId), writeRecord(record));
    },
    async list(filter) {
      const records: StateRecord[] = [];
      for await (const key of open().list()) {
        if (!key.endsWith(".json")) continue;
        const found = await open().get(key);
        // Deleted between the two calls.
        if (found === undefined) continue;
        const record = readRecord(found.text, key);
        if (matches(record, filter)) records.push(record);
      }
      return records;
    },
    delete: (resourceId) => open().delete(recordKey(resourceId)),

    async lock(resourceId) {
      const key = lockKey(resourceId);
      const lock = freshLock(randomUUID());
      if (!(await open().put(key, JSON.stringify(lock), "exists"))) {
        const found = await open().get(key);
        const other = found === undefined ? undefined : readLock(found.text);
        const isOver = other !== undefined && Date.parse(other.expiresAt) < now();
        const isTaken =
          found === undefined || !isOver || !(await open().put(key, JSON.stringify(lock), { etag: found.etag }));
        if (isTaken) {
          const who = other === undefined ? "" : ` by ${other.holder}, until ${other.expiresAt} at the longest`;
          throw new ProviderFailure("already_exists", `State "${resourceId}" is already locked${who}`);
        }
      }
      const timer = setInterval(() => void renew(key, lock.id).catch(() => {}), renewEveryMs);
      timer.unref();
      held.set(resourceId, { lock, timer });
    },
    async unlock(resourceId) {
      const own = held.get(resourceId);
      clearInterval(own?.timer);
      held.delete(resourceId);
      const found = await open().get(lockKey(resourceId));
      if (found === undefined) throw new ProviderFailure("not_found", `State "${resourceId}" is not locked`);
      const live = readLock(found.text);
      if (own !== undefined && live !== undefined && live.id !== own.lock.id) {
        throw new ProviderFailure("validation", `The lock of state "${resourceId}" was lost to ${live.holder}`);
      }
      await open().delete(lockKey(resourceId));
    },
  };
}

const safeName = (id: string): string => id.replaceAll(/[/\\]/g, "_");
const recordKey = (id: string): string => `${safeName(id)}.json`;
const lockKey = (id: string): string => `${safeName(id)}.lock`;

/** A lock of upstream's says nothing of its holder, and never expires. */
function readLock(text: string): Lock | undefined {
  try {
    const value = JSON.parse(text) as Partial<Lock>;
    return typeof value.id === "string" && typeof value.expiresAt === "string"
      ? { id: value.id, holder: value.holder ?? "someone", expiresAt: value.expiresAt }
      : undefined;
  } catch {
    return undefined;
  }
}

function writeRecord(record: StateRecord): string {
  return JSON.stringify({
    resource_id: record.resourceId,
    resource_type: record.resourceType,
    provider: record.provider,
    provider_ref: record.providerRef,
    provider_id: record.providerId,
    config_hash: record.configHash,
    status: record.status,
    outputs: record.outputs ?? null,
    config: record.config ?? null,
    dependencies: record.dependencies,
    created_at: record.createdAt,
    updated_at: record.updatedAt,
    error: record.error,
  });
}

function readRecord(text: string, key: string): StateRecord {
  let value: JsonObject;
  try {
    value = JSON.parse(text) as JsonObject;
  } catch (error) {
    throw new ProviderFailure("unknown", `State object "${key}" is no JSON: repair or delete it`, { cause: error });
  }
  const word = (name: string): string => (typeof value[name] === "string" ? value[name] : "");
  const object = (name: string): JsonObject | undefined => (value[name] ?? undefined) as JsonObject | undefined;
  const [outputs, config] = [object("outputs"), object("config")];
  return {
    resourceId: word("resource_id"),
    resourceType: word("resource_type"),
    provider: word("provider"),
    providerRef: word("provider_ref"),
    providerId: word("provider_id"),
    configHash: word("config_hash"),
    status: word("status"),
    ...(outputs === undefined ? {} : { outputs }),
    ...(config === undefined ? {} : { config }),
    dependencies: (value["dependencies"] ?? []) as readonly string[],
    createdAt: word("created_at"),
    updatedAt: word("updated_at"),
    error: word("error"),
  };
}

/** Keys that are not known filter nothing. */
function matches(record: StateRecord, filter: Readonly<Record<string, string>>): boolean {
  const values: Readonly<Record<string, string>> = {
    resource_type: record.resourceType,
    provider: record.provider,
    status: record.status,
  };
  return Object.entries(filter).every(([key, wanted]) => values[key] === undefined || values[key] === wanted);
}
