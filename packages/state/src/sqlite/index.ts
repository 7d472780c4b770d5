export { createSqliteBackend } from "./backend.ts";
export { createStack } from "./create.ts";
export { stackExists } from "./open-database.ts";
export { leaseBreak, leaseShow, openSqliteStore, readStackInfo } from "./store.ts";
export type { SqliteStore, SqliteStoreOptions } from "./store.ts";
export { doctor, repair } from "./doctor.ts";
export type { RepairOptions } from "./doctor.ts";
export { dropSecrets, rekey } from "./rekey.ts";
export type { RekeyOptions } from "./rekey.ts";
