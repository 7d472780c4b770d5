export * from "./memory-store.ts";
export * from "./sample.ts";
