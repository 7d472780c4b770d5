import { isExpression, isJsonObject, type Json, type JsonObject } from "@wfctl/model";
import type { z } from "zod";
import { ProviderFailure } from "../author/failure.ts";
import { schemaKeys, toJsonSchema } from "./json-schema.ts";

/**
 * Keys that hosts leave in a resource's configuration for themselves, or write into it. They reach the handlers only
 * where the schema has them.
 */
const reservedResourceKeys: ReadonlySet<string> = new Set([
  "provider",
  "iac_provider",
  "size",
  "depends_on",
  "dependsOn",
  "protected",
  "adopt_existing",
  "existing",
  "name",
  "region",
  "lifecycle",
  "timeouts",
  "hints",
  "instance_type",
]);

/** The same of an `iac.provider` module. */
const reservedProviderKeys: ReadonlySet<string> = new Set(["provider", "plugin", "service", "name", "_config_dir"]);

export interface Violation {
  /** Dotted path; empty for the whole input. */
  readonly path: string;
  readonly message: string;
}

/** Without the host's own keys. */
export function stripReserved(config: JsonObject, schema: z.ZodType, kind: "resource" | "provider"): JsonObject {
  const reserved = kind === "resource" ? reservedResourceKeys : reservedProviderKeys;
  const own = schemaKeys(toJsonSchema(schema));
  return Object.fromEntries(Object.entries(config).filter(([key]) => own.has(key) || !reserved.has(key)));
}

/** True where the configuration is as a user wrote it: it still holds keys that are the host's. */
export function holdsReserved(config: JsonObject, schema: z.ZodType): boolean {
  const own = schemaKeys(toJsonSchema(schema));
  return Object.keys(config).some((key) => reservedResourceKeys.has(key) && !own.has(key));
}

/**
 * Checks an input and fills in defaults. With `unresolved: "allow"` a value that still holds a reference is not
 * checked: the input comes back as it is.
 */
export function parseInput<Input>(
  schema: z.ZodType<Input>,
  config: JsonObject,
  options: { kind: "resource" | "provider"; unresolved: "allow" | "refuse" },
): { input: Input } | { violations: readonly Violation[] } {
  const own = stripReserved(config, schema, options.kind);
  const result = schema.safeParse(own);
  if (result.success) return { input: result.data };
  const issues =
    options.unresolved === "allow"
      ? result.error.issues.filter((issue) => !meetsReference(own, issue.path))
      : result.error.issues;
  if (issues.length === 0) return { input: own as Input };
  const known = schemaKeys(toJsonSchema(schema));
  return { violations: issues.flatMap((issue) => describeIssue(issue, known)) };
}

/** As `parseInput`, failing with all violations in one message: `what: path: problem; path: problem`. */
export function requireInput<Input>(
  schema: z.ZodType<Input>,
  config: JsonObject,
  what: string,
  options: { kind: "resource" | "provider"; unresolved: "allow" | "refuse" },
): Input {
  const parsed = parseInput(schema, config, options);
  if ("input" in parsed) return parsed.input;
  const text = parsed.violations.map(({ path, message }) => (path === "" ? message : `${path}: ${message}`));
  throw new ProviderFailure("validation", `${what}: ${text.join("; ")}`);
}

/** True where the value is known only later: it holds `${…}` or an expression. */
export function hasReference(value: Json | undefined): boolean {
  if (typeof value === "string") return /(?<!\$)\$\{[^}]*\}/.test(value);
  if (isExpression(value)) return true;
  if (Array.isArray(value)) return value.some((item: Json) => hasReference(item));
  return isJsonObject(value) && Object.values(value).some(hasReference);
}

/** True where the path leads into, or to something that holds, a value that is known only later. */
function meetsReference(config: JsonObject, path: readonly PropertyKey[]): boolean {
  let value: Json | undefined = config;
  for (const step of path) {
    if (isExpression(value)) return true;
    if (typeof value !== "object" || value === null) return false;
    value = (value as Record<PropertyKey, Json>)[step];
  }
  return path.length > 0 && hasReference(value);
}

function describeIssue(issue: z.core.$ZodIssue, topKeys: ReadonlySet<string>): Violation[] {
  const path = issue.path.map(String).join(".");
  if (issue.code === "unrecognized_keys") {
    return issue.keys.map((key) => {
      const near = issue.path.length === 0 ? closest(key, topKeys) : undefined;
      const hint = near === undefined ? "" : `, did you mean "${near}"`;
      return { path: path === "" ? key : `${path}.${key}`, message: `unknown key${hint}` };
    });
  }
  if (issue.code === "invalid_union" && issue.errors.length > 0) {
    // The branch that got furthest says best what is wrong.
    const depth = (issues: readonly { path: readonly PropertyKey[] }[]): number =>
      Math.max(0, ...issues.map((each) => each.path.length));
    const branch = issue.errors.toSorted((a, b) => depth(b) - depth(a) || a.length - b.length)[0] ?? [];
    const inner = branch.flatMap((child) => describeIssue(child, new Set()));
    if (inner.length > 0) {
      return inner.map((child) => ({ ...child, path: [path, child.path].filter((step) => step !== "").join(".") }));
    }
  }
  // A key that a map refuses: the reason is inside.
  const reason = issue.code === "invalid_key" ? (issue.issues[0]?.message ?? issue.message) : issue.message;
  const text = reason.replace(/^Invalid input: /, "");
  return [{ path, message: text === "" ? "invalid" : text[0]!.toLowerCase() + text.slice(1) }];
}

function closest(word: string, candidates: Iterable<string>): string | undefined {
  let best: string | undefined;
  let least = Math.max(2, Math.floor(word.length / 3)) + 1;
  for (const candidate of candidates) {
    const distance = editDistance(word, candidate);
    if (distance < least) [best, least] = [candidate, distance];
  }
  return best;
}

function editDistance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (let i = 1; i <= a.length; i += 1) {
    const next = [i];
    for (let j = 1; j <= b.length; j += 1) {
      const substitution = row[j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1);
      next.push(Math.min(row[j]! + 1, next[j - 1]! + 1, substitution));
    }
    row = next;
  }
  return row[b.length]!;
}
