export * from "./errors.ts";
export * from "./expression.ts";
export * from "./journal.ts";
export * from "./json.ts";
export * from "./plan.ts";
export * from "./resource.ts";
export * from "./result.ts";
export * from "./status.ts";
