export * from "./admission.ts";
export * from "./reduce.ts";
export * from "./retention.ts";
