import { afterAll, beforeAll, describe } from "vitest";
import { createLineage } from "../identity.ts";
import type { StateStore } from "../backend.ts";
import { generateKey } from "../sealing/key.ts";
import { dumpTables, postgresProblem, startPostgres } from "../testing/servers/postgres.ts";
import type { TestServer } from "../testing/servers/server.ts";
import { storeContract, type StoreSubject } from "../testing/store-contract.ts";
import { createPostgresBackend } from "./backend.ts";
import { openPostgresStore } from "./store.ts";

describe.skipIf(postgresProblem() !== undefined)("Postgres", () => {
  let server: TestServer;
  let stacks = 0;
  beforeAll(async () => {
    server = await startPostgres();
  });
  afterAll(() => server.stop());

  const createSubject = async (): Promise<StoreSubject> => {
    const stack = { name: `shop ${(stacks += 1)}`, environment: "dev" };
    const database = { dsn: server.address };
    const [key, lineage] = [generateKey(), createLineage()];
    await (await openPostgresStore({ database, stack, key, create: { ...stack, lineage } })).close();
    const stores: StateStore[] = [];
    return {
      key,
      lineage,
      async open({ key: other = key, ...options } = {}) {
        const store = await openPostgresStore({
          database,
          stack,
          ...(other === "none" ? {} : { key: other }),
          ...options,
        });
        stores.push(store);
        return store;
      },
      bytes: async () => [Buffer.from(await dumpTables(server))],
      breakLease: (fence) => createPostgresBackend({ database, stack, emergency: "unused" }).breakLease(fence),
      async dispose() {
        for (const store of stores) await store.close();
      },
    };
  };

  storeContract("the Postgres store", createSubject, { expiryMs: 2000 });
});
