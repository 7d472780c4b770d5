import {
  canonicalJson,
  expressionsIn,
  getAtPointer,
  isExpression,
  isJsonObject,
  type Json,
  type JsonObject,
} from "@wfctl/model";
import { checkNumber, checkText, checkType, checkWords, compilePattern } from "./scalar-keywords.ts";
import {
  fits,
  isSubschema,
  joinVerdicts,
  subschemaList,
  subschemas,
  unsure,
  type Subschema,
  type Verdict,
  type Violation,
} from "./violation.ts";

type Path = readonly (string | number)[];

export interface EvaluationContext {
  readonly root: JsonObject;
  /** Keys of the outermost mapping that the schema need not know. */
  readonly freeKeys: ReadonlySet<string>;
  /** True where the value at a path must not be shown. */
  readonly isHidden: (path: Path) => boolean;
  /** References being followed, to end those that lead back to themselves. */
  readonly following: ReadonlySet<string>;
}

/**
 * Fits a value with expressions to a JSON Schema (2020-12). An expression fits everything for now: what depends on it is
 * unsure, and only what no value can mend is a violation. Not judged: `format`, `unevaluated…`, `$dynamicRef`, references
 * to other documents.
 */
export function evaluate(schema: Subschema, value: Json, path: Path, context: EvaluationContext): Verdict {
  if (schema === true) return fits;
  if (schema === false) return violation(path, "must not be there");
  if (isExpression(value)) return unsure;
  const hidden = context.isHidden(path) || schema["writeOnly"] === true;
  const wrongType = checkType(schema, value, path);
  if (wrongType !== undefined) return { violations: [wrongType], unsure: false };
  const verdicts: Verdict[] = [];
  const words = checkWords(schema, value, path, hidden);
  if (words !== undefined) verdicts.push(words);
  if (typeof value === "string") verdicts.push(certain(checkText(schema, value, path)));
  else if (typeof value === "number") verdicts.push(certain(checkNumber(schema, value, path, hidden)));
  else if (Array.isArray(value)) verdicts.push(...evaluateList(schema, value, path, context));
  else if (isJsonObject(value)) verdicts.push(...evaluateMapping(schema, value, path, context));
  verdicts.push(...evaluateCombinations(schema, value, path, context));
  return joinVerdicts(verdicts);
}

function evaluateMapping(schema: JsonObject, value: JsonObject, path: Path, context: EvaluationContext): Verdict[] {
  const verdicts: Verdict[] = [];
  const properties = new Map(subschemas(schema["properties"]));
  const patterns = subschemas(schema["patternProperties"]).map(
    ([pattern, sub]) => [compilePattern(pattern), sub] as const,
  );
  const { additionalProperties: additional, propertyNames, minProperties, maxProperties } = schema;
  const keys = Object.keys(value);
  for (const key of keys) {
    const member = value[key] ?? null;
    const memberPath = [...path, key];
    const own = properties.get(key);
    if (own !== undefined) verdicts.push(evaluate(own, member, memberPath, context));
    const matching = patterns.filter(([pattern]) => pattern?.test(key) === true);
    for (const [, sub] of matching) verdicts.push(evaluate(sub, member, memberPath, context));
    const free = path.length === 0 && context.freeKeys.has(key);
    if (own === undefined && matching.length === 0 && !free && isSubschema(additional)) {
      if (additional === false) {
        const known = [...properties.keys(), ...(path.length === 0 ? context.freeKeys : [])];
        verdicts.push(certain([{ path: memberPath, text: "is not known", unknownKey: { known } }]));
      } else verdicts.push(evaluate(additional, member, memberPath, context));
    }
    if (
      isSubschema(propertyNames) &&
      !free &&
      evaluate(propertyNames, key, memberPath, context).violations.length > 0
    ) {
      verdicts.push(violation(memberPath, "has a key that is not allowed"));
    }
  }
  const required = Array.isArray(schema["required"]) ? (schema["required"] as readonly Json[]) : [];
  for (const key of [...required, ...dependentKeys(schema, value)]) {
    if (typeof key !== "string" || Object.hasOwn(value, key)) continue;
    verdicts.push(certain([{ path, text: `has no "${key}"`, missingKey: key }]));
  }
  for (const [key, sub] of subschemas(schema["dependentSchemas"])) {
    if (Object.hasOwn(value, key)) verdicts.push(evaluate(sub, value, path, context));
  }
  verdicts.push(certain(checkCount(keys.length, minProperties, maxProperties, "keys", path)));
  return verdicts;
}

function evaluateList(schema: JsonObject, value: readonly Json[], path: Path, context: EvaluationContext): Verdict[] {
  const verdicts: Verdict[] = [];
  const prefix = subschemaList(schema["prefixItems"]);
  const { items, contains, minItems, maxItems, uniqueItems, minContains, maxContains } = schema;
  for (const [index, item] of value.entries()) {
    const sub = prefix[index] ?? items;
    if (isSubschema(sub)) verdicts.push(evaluate(sub, item, [...path, index], context));
  }
  verdicts.push(certain(checkCount(value.length, minItems, maxItems, "items", path)));
  if (uniqueItems === true) verdicts.push(checkUnique(value, path));
  if (isSubschema(contains)) {
    const results = value.map((item, index) => evaluate(contains, item, [...path, index], context));
    const possible = results.filter((result) => result.violations.length === 0);
    const sure = possible.filter((result) => !result.unsure).length;
    const least = typeof minContains === "number" ? minContains : 1;
    const most = typeof maxContains === "number" ? maxContains : Infinity;
    if (possible.length < least || sure > most)
      verdicts.push(violation(path, "does not hold the items that are expected"));
    else if (possible.length > sure) verdicts.push(unsure);
  }
  return verdicts;
}

function evaluateCombinations(schema: JsonObject, value: Json, path: Path, context: EvaluationContext): Verdict[] {
  const verdicts: Verdict[] = subschemaList(schema["allOf"]).map((sub) => evaluate(sub, value, path, context));
  const any = subschemaList(schema["anyOf"]).map((sub) => evaluate(sub, value, path, context));
  if (any.length > 0) {
    const passing = any.filter((verdict) => verdict.violations.length === 0);
    if (passing.length === 0) verdicts.push(nearest(any));
    else if (passing.every((verdict) => verdict.unsure)) verdicts.push(unsure);
  }
  const one = subschemaList(schema["oneOf"]).map((sub) => evaluate(sub, value, path, context));
  if (one.length > 0) {
    const passing = one.filter((verdict) => verdict.violations.length === 0);
    const sure = passing.filter((verdict) => !verdict.unsure).length;
    if (passing.length === 0) verdicts.push(nearest(one));
    else if (sure > 1) verdicts.push(violation(path, `fits ${sure} of the allowed forms, expected one`));
    else if (passing.length > sure) verdicts.push(unsure);
  }
  const { not, if: condition, then, else: otherwise } = schema;
  if (isSubschema(not)) {
    const verdict = evaluate(not, value, path, context);
    if (verdict.violations.length === 0)
      verdicts.push(verdict.unsure ? unsure : violation(path, "has a form that is not allowed"));
    else if (verdict.unsure) verdicts.push(fits);
  }
  if (isSubschema(condition)) {
    const verdict = evaluate(condition, value, path, context);
    const branch = verdict.violations.length > 0 ? otherwise : then;
    if (verdict.violations.length === 0 && verdict.unsure) verdicts.push(unsure);
    else if (isSubschema(branch)) verdicts.push(evaluate(branch, value, path, context));
  }
  verdicts.push(followReference(schema, value, path, context));
  return verdicts;
}

function followReference(schema: JsonObject, value: Json, path: Path, context: EvaluationContext): Verdict {
  const reference = schema["$ref"];
  if (typeof reference !== "string") return fits;
  const target = reference.startsWith("#")
    ? getAtPointer(context.root, decodeURIComponent(reference.slice(1)))
    : undefined;
  const step = `${path.length}:${reference}`;
  if (!isSubschema(target) || context.following.has(step)) return fits;
  return evaluate(target, value, path, { ...context, following: new Set([...context.following, step]) });
}

/** The violations of the form that comes closest: the one that fails deepest, then the one that fails least. */
function nearest(verdicts: readonly Verdict[]): Verdict {
  const depth = (verdict: Verdict): number => Math.max(...verdict.violations.map((found) => found.path.length));
  const [best = fits] = verdicts.toSorted((a, b) => depth(b) - depth(a) || a.violations.length - b.violations.length);
  return best;
}

function checkUnique(value: readonly Json[], path: Path): Verdict {
  const first = new Map<string, number>();
  let open = false;
  for (const [index, item] of value.entries()) {
    const text = canonicalJson(item);
    const before = first.get(text);
    if (before !== undefined) return violation([...path, index], `is there twice, first as item ${before + 1}`);
    first.set(text, index);
    open ||= !expressionsIn(item).next().done;
  }
  return open ? unsure : fits;
}

function dependentKeys(schema: JsonObject, value: JsonObject): Json[] {
  const dependent = schema["dependentRequired"];
  if (!isJsonObject(dependent)) return [];
  return Object.entries(dependent).flatMap(([key, keys]) =>
    Object.hasOwn(value, key) && Array.isArray(keys) ? keys : [],
  );
}

function checkCount(
  count: number,
  least: Json | undefined,
  most: Json | undefined,
  what: string,
  path: Path,
): Violation[] {
  if (typeof least === "number" && count < least)
    return [{ path, text: `has ${count} ${what}, expected at least ${least}` }];
  if (typeof most === "number" && count > most)
    return [{ path, text: `has ${count} ${what}, expected at most ${most}` }];
  return [];
}

function certain(violations: readonly Violation[]): Verdict {
  return violations.length === 0 ? fits : { violations, unsure: false };
}

function violation(path: Path, text: string): Verdict {
  return { violations: [{ path, text }], unsure: false };
}
