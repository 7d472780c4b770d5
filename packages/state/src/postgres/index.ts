export { createPostgresBackend } from "./backend.ts";
export type { PostgresOptions } from "./options.ts";
export { openPostgresStore } from "./store.ts";
export type { PostgresStoreOptions } from "./store.ts";
