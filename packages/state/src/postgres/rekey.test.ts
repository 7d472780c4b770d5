import { afterAll, beforeAll, describe } from "vitest";
import { createLineage } from "../identity.ts";
import { generateKey } from "../sealing/key.ts";
import { rekeyContract } from "../testing/rekey-contract.ts";
import { dumpTables, postgresProblem, startPostgres } from "../testing/servers/postgres.ts";
import type { TestServer } from "../testing/servers/server.ts";
import { createPostgresBackend } from "./backend.ts";
import { openPostgresStore } from "./store.ts";

describe.skipIf(postgresProblem() !== undefined)("the key of a stack in Postgres", () => {
  let server: TestServer;
  let stacks = 0;
  beforeAll(async () => {
    server = await startPostgres();
  });
  afterAll(() => server.stop());

  rekeyContract(async () => {
    const stack = { name: `shop ${(stacks += 1)}`, environment: "dev" };
    const database = { dsn: server.address };
    const key = generateKey();
    await (await openPostgresStore({ database, stack, key, create: { ...stack, lineage: createLineage() } })).close();
    const backend = createPostgresBackend({ database, stack, emergency: "unused" });
    return { backend, key, bytes: async () => [Buffer.from(await dumpTables(server))] };
  });
});
