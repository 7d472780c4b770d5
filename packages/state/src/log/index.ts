export * from "./bucket.ts";
export * from "./memory-bucket.ts";
export { createLogStack } from "./meta.ts";
export { breakLogLease, openLogStore } from "./store.ts";
export type { LogStore, LogStoreOptions } from "./store.ts";
