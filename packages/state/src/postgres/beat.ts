import type { Beat } from "../beat/run-beats.ts";
import { createConnection } from "./connection.ts";
import { beatDatabaseLease } from "./lease.ts";
import type { PostgresOptions } from "./options.ts";

/** Beats for a lease over a connection of its own. */
export function createDatabaseBeat(database: PostgresOptions, stack: number, fence: number): Beat {
  const connection = createConnection(database, "Beating for the lease");
  return () => connection.use((client) => beatDatabaseLease(client, stack, fence));
}
