import { isExpression, isJsonObject, jsonEqual, type FieldChange, type Json, type JsonObject } from "@wfctl/model";
import type { Comparison, DesiredState, KnownState, Resource } from "../author/define-resource.ts";
import { hasReference, holdsReserved, parseInput } from "./input.ts";
import { isRecordSchema, itemSchema, memberSchema, toJsonSchema } from "./json-schema.ts";
import { isSealed, matchesSeal } from "./sealed.ts";

/** Output that carries the inputs to hosts that send outputs alone into a diff. Upstream's adoption knows it too. */
export const appliedConfigKey = "applied_config";
/** Stands in `applied_config` for what `read` cannot give. */
export const unreadableMark = "(write-only)";

/**
 * The default diff: what is wanted against the inputs that are known, else against the outputs of the same name.
 * Quiet where nothing differs: an optional key that is not set is left alone, empty equals absent, `8080` equals
 * `"8080"`, and what cannot be known is not a change.
 */
export function compareInputs(
  resource: Resource<unknown>,
  desired: DesiredState<unknown>,
  known: KnownState,
): Required<Comparison> {
  const schema = toJsonSchema(resource.input);
  const wanted = desired.input as JsonObject;
  const basis = basisOf(resource, known);
  const paths: Paths = {
    unordered: new Set(resource.unordered as string[] | undefined),
    reset: new Set(resource.resetWhenUnset as string[] | undefined),
    unread: basis.live ? ((resource.writeOnly ?? []) as readonly string[]) : [],
  };
  const changes: FieldChange[] = [];
  const keys = new Set([...Object.keys(wanted), ...(basis.complete ? Object.keys(basis.values) : [])]);
  for (const key of keys) {
    const old = basis.values[key];
    if (old === undefined && !basis.complete) continue;
    compareValue(wanted[key], old, memberSchema(schema, key).schema, key, true, paths, changes);
  }
  return finish(resource, changes);
}

/** Adds what a list of changes means. */
export function finish(resource: Resource<unknown>, changes: readonly FieldChange[]): Required<Comparison> {
  const marked = changes.map((change) => ({
    ...change,
    // What is not known yet must not replace an object: it may turn out to be the same.
    forceNew: (change.forceNew || isUnder(change.path, resource.forceNew)) && !hasReference(change.new),
    ...(isUnder(change.path, resource.sensitiveInputs) ? { sensitive: true } : {}),
  }));
  return {
    changes: marked,
    needsUpdate: marked.length > 0,
    needsReplace: marked.some((change) => change.forceNew),
  };
}

/** True where the path is one of the list, or below one. */
export function isUnder(path: string, list: readonly string[] | undefined): boolean {
  return (list ?? []).some((entry) => path === entry || path.startsWith(`${entry}.`));
}

interface Basis {
  readonly values: JsonObject;
  /** A key that is missing is known to be unset, not merely unknown. */
  readonly complete: boolean;
  /**
   * As read from the object: what is write-only is missing without meaning. Not so where the inputs hold keys that only
   * hosts know: then the host has laid what it sent last beside what was read.
   */
  readonly live: boolean;
}

function basisOf(resource: Resource<unknown>, known: KnownState): Basis {
  const applied = known.outputs[appliedConfigKey];
  const inputs = known.inputs ?? (isJsonObject(applied) ? applied : undefined);
  if (inputs === undefined) return { values: known.outputs, complete: false, live: true };
  // Recorded inputs are as the user wrote them: the schema's defaults make them comparable.
  const parsed = parseInput(resource.input, inputs, { kind: "resource", unresolved: "allow" });
  const values = "input" in parsed ? (parsed.input as JsonObject) : inputs;
  return { values, complete: true, live: !holdsReserved(inputs, resource.input) };
}

interface Paths {
  readonly unordered: ReadonlySet<string>;
  readonly reset: ReadonlySet<string>;
  /** Missing from what was read because it cannot be read. */
  readonly unread: readonly string[];
}

function compareValue(
  wanted: Json | undefined,
  old: Json | undefined,
  schema: JsonObject | undefined,
  path: string,
  declared: boolean,
  paths: Paths,
  changes: FieldChange[],
): void {
  if (sameValue(wanted, old)) return;
  if (old === undefined && isUnder(path, paths.unread)) return;
  if (wanted === undefined && declared && !paths.reset.has(path)) return;
  if (isJsonObject(wanted) && isJsonObject(old) && !isExpression(wanted)) {
    const record = isRecordSchema(schema);
    for (const key of new Set([...Object.keys(wanted), ...Object.keys(old)])) {
      const member = memberSchema(schema, key);
      const own = member.own || !record;
      compareValue(wanted[key], old[key], member.schema, `${path}.${key}`, own, paths, changes);
    }
    return;
  }
  if (Array.isArray(wanted) && Array.isArray(old) && sameList(wanted, old, schema, path, paths)) return;
  changes.push({
    path,
    forceNew: false,
    ...(old === undefined ? {} : { old }),
    ...(wanted === undefined ? {} : { new: wanted }),
  });
}

function sameList(
  wanted: readonly Json[],
  old: readonly Json[],
  schema: JsonObject | undefined,
  path: string,
  paths: Paths,
): boolean {
  if (wanted.length !== old.length) return false;
  const same = (a: Json, b: Json): boolean => {
    const found: FieldChange[] = [];
    compareValue(a, b, itemSchema(schema), path, false, paths, found);
    return found.length === 0;
  };
  if (!paths.unordered.has(path)) return wanted.every((item, index) => same(item, old[index]!));
  const left = [...old];
  return wanted.every((item) => {
    const index = left.findIndex((candidate) => same(item, candidate));
    if (index !== -1) left.splice(index, 1);
    return index !== -1;
  });
}

function sameValue(wanted: Json | undefined, old: Json | undefined): boolean {
  if (isEmpty(wanted) && isEmpty(old)) return true;
  if (typeof old === "string") {
    if (old.startsWith("secret_ref://") || old === unreadableMark) return true;
    if (isSealed(old)) return wanted !== undefined && matchesSeal(wanted, old);
  }
  if (isScalar(wanted) && isScalar(old)) return sameScalar(wanted, old);
  return jsonEqual(wanted, old);
}

function sameScalar(a: string | number | boolean, b: string | number | boolean): boolean {
  if (a === b || String(a) === String(b)) return true;
  if (typeof a === typeof b || typeof a === "boolean" || typeof b === "boolean") return false;
  const text = typeof a === "string" ? a : (b as string);
  return text.trim() !== "" && Number(a) === Number(b);
}

function isScalar(value: Json | undefined): value is string | number | boolean {
  return typeof value === "string" || typeof value === "number" || typeof value === "boolean";
}

function isEmpty(value: Json | undefined): boolean {
  if (value === undefined || value === null) return true;
  if (typeof value !== "object") return false;
  return Array.isArray(value) ? value.length === 0 : Object.keys(value).length === 0;
}
