import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createLineage } from "../identity.ts";
import { generateKey } from "../sealing/key.ts";
import { storeContract, type StoreSubject } from "../testing/store-contract.ts";
import { leaseBreak, openSqliteStore, type SqliteStore } from "./store.ts";
import { createStack } from "./create.ts";

async function createSubject(): Promise<StoreSubject> {
  const directory = mkdtempSync(join(tmpdir(), "wfctl-store-"));
  const path = join(directory, "state.db");
  const [key, lineage] = [generateKey(), createLineage()];
  createStack({ path, key, lineage, name: "shop", environment: "dev" });
  const stores: SqliteStore[] = [];
  return {
    key,
    lineage,
    async open({ key: other = key, ...options } = {}) {
      const store = await openSqliteStore({ path, ...(other === "none" ? {} : { key: other }), ...options });
      stores.push(store);
      return store;
    },
    bytes: async () => readdirSync(directory).map((name) => readFileSync(join(directory, name))),
    breakLease: async (fence) => leaseBreak(path, fence),
    async dispose() {
      for (const store of stores) await store.close();
      rmSync(directory, { recursive: true });
    },
  };
}

storeContract("the SQLite store", createSubject);
