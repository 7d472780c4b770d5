export { createStack } from "./create.ts";
export { stackExists } from "./open-database.ts";
export { leaseBreak, leaseShow, openSqliteStore, readStackInfo } from "./store.ts";
export type { SqliteStore, SqliteStoreOptions } from "./store.ts";
