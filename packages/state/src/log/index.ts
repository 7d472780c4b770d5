export { createLogBackend } from "./backend.ts";
export * from "./bucket.ts";
export * from "./memory-bucket.ts";
export { createLogStack } from "./meta.ts";
export { checkLog, repairLog } from "./doctor.ts";
export { breakLogLease, openLogStore, readLogInfo, readLogLease } from "./store.ts";
export type { LogStore, LogStoreOptions } from "./store.ts";
