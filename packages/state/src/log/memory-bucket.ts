import type { Bucket } from "./bucket.ts";

export type BucketCall = Exclude<keyof Bucket, "location">;

/** Called around every request; a throw loses the request (`before`) or its reply (`after`), a promise delays it. */
export interface BucketFaults {
  before?(call: BucketCall, key: string): Promise<void> | void;
  after?(call: BucketCall, key: string): Promise<void> | void;
}

export interface MemoryBucket extends Bucket {
  readonly objects: Map<string, { readonly bytes: Uint8Array; readonly putAtMs: number }>;
  /** Another client of the same bucket, with faults of its own. */
  client(faults: BucketFaults): Bucket;
}

/** A bucket in memory, for tests and simulations. */
export function createMemoryBucket(options: { readonly now?: () => number } = {}): MemoryBucket {
  const now = options.now ?? Date.now;
  const objects: MemoryBucket["objects"] = new Map();
  const store = (key: string, bytes: Uint8Array): void => {
    objects.set(key, { bytes: bytes.slice(), putAtMs: now() });
  };
  const client = (faults: BucketFaults): Bucket => {
    const request = async <T>(call: BucketCall, key: string, act: () => T): Promise<T> => {
      await faults.before?.(call, key);
      const result = act();
      await faults.after?.(call, key);
      return result;
    };
    return {
      location: "memory",
      get: (key) => request("get", key, () => objects.get(key)?.bytes),
      list: (prefix, after = "") =>
        request("list", prefix, () =>
          [...objects.keys()].filter((key) => key.startsWith(prefix) && key > after).toSorted(byCodeUnit),
        ),
      putIfAbsent: (key, bytes) =>
        request("putIfAbsent", key, () => {
          if (objects.has(key)) return "exists";
          store(key, bytes);
          return "created";
        }),
      put: (key, bytes) => request("put", key, () => store(key, bytes)),
      delete: (key) => request("delete", key, () => void objects.delete(key)),
      ageMs: (key) =>
        request("ageMs", key, () => {
          const object = objects.get(key);
          return object === undefined ? undefined : now() - object.putAtMs;
        }),
    };
  };
  return { ...client({}), objects, client };
}

function byCodeUnit(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
