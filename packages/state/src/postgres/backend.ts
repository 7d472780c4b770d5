import { WfctlError } from "@wfctl/model";
import type { StateBackend } from "../backend.ts";
import { randomUUID } from "node:crypto";
import { defaultLeaseTimes } from "../lease/lease-view.ts";
import { findEmergencies, refuseEmergencies, repairEmergencies } from "../read-back.ts";
import { createSealer } from "../sealing/sealer.ts";
import { createConnection, describeDatabase, type Connection } from "./connection.ts";
import { checkStack } from "./doctor.ts";
import { breakDatabaseLease, readDatabaseLease, releaseDatabaseLease, takeDatabaseLease } from "./lease.ts";
import { rekeyStack } from "./rekey.ts";
import { inTransaction } from "./schema.ts";
import { locationOf, openPostgresStore, readStackRow, type PostgresStoreOptions, type Stack } from "./store.ts";

/** The state of one stack in a Postgres database, for commands. */
export function createPostgresBackend(
  options: Pick<PostgresStoreOptions, "database" | "stack" | "lease"> & {
    /** What files on this machine are named after that hold outcomes which the database refused. */
    readonly emergency: string;
  },
): StateBackend {
  const { emergency, ...database } = options;
  const location = locationOf(options);
  const withConnection = async <T>(work: (use: Connection["use"]) => Promise<T>): Promise<T> => {
    const connection = createConnection(options.database, `Using the state '${location}'`);
    try {
      return await work((each) => connection.use(each));
    } finally {
      await connection.close();
    }
  };
  const withStack = <T>(work: (use: Connection["use"], stack: Stack) => Promise<T>): Promise<T> =>
    withConnection(async (use) => {
      const stack = await use((client) => readStackRow(client, options.stack, location));
      if (stack !== undefined) return await work(use, stack);
      throw new WfctlError("STORE_UNAVAILABLE", `Opening the state '${location}' failed: there is none`);
    });
  const open: StateBackend["open"] = (opening) => openPostgresStore({ ...database, ...opening });
  const readInfo = () =>
    withConnection((use) => use(async (client) => (await readStackRow(client, options.stack, location))?.info));
  return {
    location,
    exists: async () => (await readInfo()) !== undefined,
    readInfo,
    open,
    readLease: () => withStack((use, { id }) => use((client) => readDatabaseLease(client, id))),
    breakLease: (fence) =>
      withStack(async (use, { id }) => {
        if (await use((client) => breakDatabaseLease(client, id, fence))) return;
        throw new WfctlError("USAGE", `Breaking the lease failed: lease ${fence} is not the one that is held`, {
          hint: "See the id with: wfctl state lease show",
        });
      }),
    async doctor() {
      const findings = await withStack((use, { id }) =>
        use((client) =>
          inTransaction(client, "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY", () => checkStack(client, id)),
        ),
      );
      return [...findings, ...findEmergencies(emergency)];
    },
    // What a database damages, its backups bring back.
    repair: (repairing) => repairEmergencies({ ...repairing, base: emergency, open: (key) => open({ key }) }),
    rekey: (request) => {
      refuseEmergencies(emergency, "Changing the key");
      return withStack(async (use, { id, info, keys }) => {
        if (request.oldKey !== undefined) createSealer(request.oldKey, info.lineage, keys);
        const { holder } = request;
        const times = { ...defaultLeaseTimes, ...options.lease };
        const fence = await use((client) => takeDatabaseLease(client, id, { holder, writer: randomUUID() }, times));
        try {
          await use((client) => rekeyStack(client, { id, lineage: info.lineage }, fence, request));
        } finally {
          // One that cannot be given back runs out.
          await use((client) => releaseDatabaseLease(client, id, fence)).catch(() => undefined);
        }
      });
    },
    findUpstreamRecords: () =>
      withConnection((use) =>
        use(async (client) => {
          const table = await client.query<{ there: boolean }>(
            "SELECT to_regclass('iac_resources') IS NOT NULL AS there",
          );
          if (table.rows[0]?.there !== true) return undefined;
          const { rowCount } = await client.query("SELECT 1 FROM iac_resources LIMIT 1");
          return rowCount === 0 ? undefined : `the table iac_resources of ${describeDatabase(options.database.dsn)}`;
        }),
      ),
    size: () => Promise.resolve(undefined),
  };
}
