export { createPostgresBackend } from "./backend.ts";
export { findDsnProblem } from "./connection.ts";
export type { PostgresOptions } from "./options.ts";
export { openPostgresStore } from "./store.ts";
export type { PostgresStoreOptions } from "./store.ts";
