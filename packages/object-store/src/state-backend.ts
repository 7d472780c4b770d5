import { randomUUID } from "node:crypto";
import { hostname } from "node:os";
import type { Bucket } from "./bucket.ts";
import { recordFromText, recordToText, type StateRecord } from "./state-record.ts";

type Config = { readonly [key: string]: unknown };

/** The state store that upstream hosts may keep in a bucket, in the shape in which the plugin SDK takes one. */
export interface BucketStateBackend {
  readonly names: readonly string[];
  configure(name: string, config: Config): Promise<void>;
  get(id: string): Promise<StateRecord | undefined>;
  save(record: StateRecord): Promise<void>;
  list(filter: Readonly<Record<string, string>>): Promise<readonly StateRecord[]>;
  delete(id: string): Promise<void>;
  lock(id: string): Promise<void>;
  unlock(id: string): Promise<void>;
}

export interface BucketStateOptions {
  readonly names: readonly string[];
  /** Opens the bucket that the configuration names. Throws where it does not make sense. */
  open(config: Config): Promise<Bucket> | Bucket;
  /** The failure for a lock that someone else holds, or a record that cannot be read. */
  fail(reason: "locked" | "unreadable", message: string): Error;
  /** Milliseconds since the epoch. @default Date.now */
  now?: () => number;
  /** How long a lock is taken to be alive after its last renewal. @default 10 minutes */
  lockTtlMs?: number;
}

interface Lock {
  readonly token: string;
  readonly owner: string;
  readonly acquired_at: string;
  /** Absent on locks of upstream's plugins, which never expire. */
  readonly expires_at?: string;
}

const defaultPrefix = "iac-state/";
/** Members of a record that a list can be filtered by. Hosts may send others, which do not count. */
const filters: Readonly<Record<string, keyof StateRecord>> = {
  resource_type: "resourceType",
  type: "resourceType",
  provider: "provider",
  status: "status",
};

/**
 * `<prefix><id>.json` holds a record, `<prefix><id>.lock` a lock, as upstream's plugins have it. A lock is taken by a
 * conditional write and carries its owner and an expiry, so that one whose holder died does not stay for ever; it is
 * renewed by every save, and only its holder or its expiry removes it.
 */
export function createBucketStateBackend(options: BucketStateOptions): BucketStateBackend {
  const { names, fail, now = Date.now, lockTtlMs = 600_000 } = options;
  const owner = `${hostname()}:${process.pid}`;
  const held = new Map<string, string>();
  let opened: { bucket: Bucket; prefix: string } | undefined;
  const place = (): { bucket: Bucket; prefix: string } => {
    if (opened === undefined) throw fail("unreadable", "The state backend is not configured");
    return opened;
  };
  const keyOf = (id: string, ending: "json" | "lock"): string =>
    `${place().prefix}${id.replaceAll(/[/\\]/g, "_")}.${ending}`;
  const lockText = (token: string): string => {
    const at = now();
    const lock: Lock = {
      token,
      owner,
      acquired_at: new Date(at).toISOString(),
      expires_at: new Date(at + lockTtlMs).toISOString(),
    };
    return `${JSON.stringify(lock)}\n`;
  };
  const renew = async (id: string): Promise<void> => {
    const token = held.get(id);
    if (token === undefined) return;
    const { bucket } = place();
    const found = await bucket.get(keyOf(id, "lock"));
    if (found === undefined || parseLock(found.body)?.token !== token) {
      held.delete(id);
      throw fail("locked", `The lock of "${id}" was lost to ${describe(found?.body)}`);
    }
    await bucket.put(keyOf(id, "lock"), lockText(token), { ifMatch: found.etag });
  };

  return {
    names,
    async configure(_name, config) {
      const prefix = typeof config["prefix"] === "string" ? config["prefix"] : defaultPrefix;
      opened = { bucket: await options.open(config), prefix };
    },
    async get(id) {
      const found = await place().bucket.get(keyOf(id, "json"));
      if (found === undefined) return undefined;
      const record = recordFromText(found.body);
      if (record === undefined) throw fail("unreadable", `Object "${keyOf(id, "json")}" holds no state record`);
      return record;
    },
    async save(record) {
      await renew(record.resourceId);
      await place().bucket.put(keyOf(record.resourceId, "json"), recordToText(record));
    },
    async list(filter) {
      const { bucket, prefix } = place();
      const records: StateRecord[] = [];
      for await (const key of bucket.list(prefix)) {
        if (!key.endsWith(".json")) continue;
        const found = await bucket.get(key);
        if (found === undefined) continue;
        const record = recordFromText(found.body);
        if (record === undefined) throw fail("unreadable", `Object "${key}" holds no state record`);
        if (Object.entries(filter).every(([name, value]) => matches(record, name, value))) records.push(record);
      }
      return records;
    },
    async delete(id) {
      await place().bucket.delete(keyOf(id, "json"));
    },
    async lock(id) {
      const { bucket } = place();
      const key = keyOf(id, "lock");
      const token = randomUUID();
      if ((await bucket.put(key, lockText(token), { ifAbsent: true })) === undefined) {
        const found = await bucket.get(key);
        const expires = found === undefined ? undefined : parseLock(found.body)?.expires_at;
        const isDead = found !== undefined && expires !== undefined && Date.parse(expires) <= now();
        const taken = isDead ? await bucket.put(key, lockText(token), { ifMatch: found.etag }) : undefined;
        if (taken === undefined) throw fail("locked", `State of "${id}" is already locked by ${describe(found?.body)}`);
      }
      held.set(id, token);
    },
    async unlock(id) {
      const token = held.get(id);
      const { bucket } = place();
      const found = await bucket.get(keyOf(id, "lock"));
      held.delete(id);
      if (found === undefined) return;
      // Upstream unlocks without a token: a lock that this process does not hold is removed only if it has no owner.
      const lock = parseLock(found.body);
      if (lock !== undefined && lock.token !== token)
        throw fail("locked", `State of "${id}" is locked by ${describe(found.body)}`);
      await bucket.delete(keyOf(id, "lock"), { ifMatch: found.etag });
    },
  };
}

function matches(record: StateRecord, name: string, value: string): boolean {
  const member = filters[name];
  return member === undefined || value === "" || record[member] === value;
}

function parseLock(text: string): Lock | undefined {
  try {
    const found = JSON.parse(text) as Partial<Lock>;
    return typeof found.token === "string" && typeof found.owner === "string" ? (found as Lock) : undefined;
  } catch {
    return undefined;
  }
}

function describe(text: string | undefined): string {
  const lock = text === undefined ? undefined : parseLock(text);
  if (lock === undefined) return "someone who left no name";
  return `${lock.owner} since ${lock.acquired_at}`;
}
