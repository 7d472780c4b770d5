import { statSync } from "node:fs";
import type { StateBackend } from "../backend.ts";
import { doctor, repair } from "./doctor.ts";
import { dropSecrets, rekey } from "./rekey.ts";
import { stackExists } from "./open-database.ts";
import { leaseBreak, leaseShow, openSqliteStore, readStackInfo } from "./store.ts";

/** The state of one stack in an SQLite file, for commands. */
export function createSqliteBackend(path: string): StateBackend {
  return {
    location: path,
    exists: async () => stackExists(path),
    readInfo: async () => readStackInfo(path),
    open: (options) => openSqliteStore({ path, ...options }),
    readLease: async () => leaseShow(path),
    breakLease: async (id) => leaseBreak(path, id),
    doctor: async () => doctor(path),
    repair: (options) => repair({ path, ...options }),
    async rekey({ oldKey, ...request }) {
      if (oldKey === undefined) dropSecrets({ path, ...request });
      else rekey({ path, oldKey, ...request });
    },
    findUpstreamRecords: async () => undefined,
    size: async () => (stackExists(path) ? statSync(path).size : undefined),
  };
}
