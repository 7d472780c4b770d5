export * from "./azurite.ts";
export * from "./cut-proxy.ts";
export * from "./fault-proxy.ts";
export * from "./moto.ts";
export * from "./postgres.ts";
export type { TestServer } from "./server.ts";
