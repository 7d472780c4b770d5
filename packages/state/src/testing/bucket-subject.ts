import { createLineage } from "../identity.ts";
import type { Bucket } from "../log/bucket.ts";
import { createLogStack } from "../log/meta.ts";
import { breakLogLease, openLogStore, type LogStore } from "../log/store.ts";
import { generateKey } from "../sealing/key.ts";
import type { StoreSubject } from "./store-contract.ts";

/** A new stack whose log lies in the bucket, for `storeContract`. */
export async function createBucketSubject(
  bucket: Bucket,
  options: { readonly snapshotBytes?: number } = {},
): Promise<StoreSubject> {
  const [key, lineage] = [generateKey(), createLineage()];
  await createLogStack(bucket, { lineage, name: "shop", environment: "dev" }, key);
  const stores: LogStore[] = [];
  return {
    key,
    lineage,
    async open({ key: other = key, ...rest } = {}) {
      const store = await openLogStore({ bucket, ...(other === "none" ? {} : { key: other }), ...options, ...rest });
      stores.push(store);
      return store;
    },
    async bytes() {
      const keys = await bucket.list("");
      return await Promise.all(keys.map(async (name) => (await bucket.get(name)) ?? new Uint8Array()));
    },
    breakLease: (fence) => breakLogLease(bucket, fence),
    async dispose() {
      for (const store of stores) await store.close();
    },
  };
}
