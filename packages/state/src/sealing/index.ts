export * from "./digester.ts";
export * from "./event-secrets.ts";
export * from "./key.ts";
export * from "./resolve-key.ts";
export * from "./sealer.ts";
export * from "./secrets.ts";
