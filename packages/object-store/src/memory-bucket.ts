import type { Bucket } from "./bucket.ts";

/** A bucket in memory, for tests of what is built on one. */
export function createMemoryBucket(): Bucket {
  const objects = new Map<string, { body: string; etag: string }>();
  let writes = 0;
  return {
    async get(key) {
      return objects.get(key);
    },
    async put(key, body, { ifAbsent, ifMatch } = {}) {
      const found = objects.get(key);
      if (ifAbsent === true && found !== undefined) return undefined;
      if (ifMatch !== undefined && found?.etag !== ifMatch) return undefined;
      const etag = `"${(writes += 1)}"`;
      objects.set(key, { body, etag });
      return etag;
    },
    async delete(key, { ifMatch } = {}) {
      const found = objects.get(key);
      if (ifMatch !== undefined && found !== undefined && found.etag !== ifMatch) return false;
      objects.delete(key);
      return true;
    },
    async *list(prefix) {
      for (const key of [...objects.keys()].toSorted()) if (key.startsWith(prefix)) yield key;
    },
  };
}
