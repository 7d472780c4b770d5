export * from "./memory-store.ts";
export * from "./patiently.ts";
export * from "./sample.ts";
