import { createLineage } from "../identity.ts";
import { generateKey } from "../sealing/key.ts";
import { storeContract, type StoreSubject } from "../testing/store-contract.ts";
import { createMemoryBucket } from "./memory-bucket.ts";
import { createLogStack } from "./meta.ts";
import { breakLogLease, openLogStore, type LogStore } from "./store.ts";

async function createSubject(snapshotBytes: number): Promise<StoreSubject> {
  const bucket = createMemoryBucket();
  const [key, lineage] = [generateKey(), createLineage()];
  await createLogStack(bucket, { lineage, name: "shop", environment: "dev" }, key);
  const stores: LogStore[] = [];
  return {
    key,
    lineage,
    async open({ key: other = key, ...options } = {}) {
      const keys = other === "none" ? {} : { key: other };
      const store = await openLogStore({ bucket, ...keys, snapshotBytes, ...options });
      stores.push(store);
      return store;
    },
    bytes: async () => [...bucket.objects.values()].map(({ bytes }) => bytes),
    breakLease: (fence) => breakLogLease(bucket, fence),
    async dispose() {
      for (const store of stores) await store.close();
    },
  };
}

storeContract("the log store", () => createSubject(2 ** 20));
storeContract("the log store with a snapshot after every commit", () => createSubject(1));
