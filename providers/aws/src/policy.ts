import { canonicalJson, isJsonObject, z, type Json, type JsonObject } from "@wfctl/plugin-sdk";

const lists: ReadonlySet<string> = new Set(["Action", "NotAction", "Resource", "NotResource"]);

/** An IAM policy document, as an object or as JSON text. Kept as text in one form, so that equal policies are equal. */
export const policyDocument = z
  .union([z.string(), z.record(z.string(), z.unknown())])
  .transform((value, context) => {
    const document = typeof value === "string" ? parse(value) : (value as JsonObject);
    if (document !== undefined) return normalPolicy(document);
    context.addIssue({ code: "custom", message: "expected a policy document as JSON" });
    return z.NEVER;
  })
  .describe("Policy document: an object, or JSON text");

/** The one form of a policy document. Text that is no JSON object stays as it is. */
export function normalPolicyText(text: string): string {
  const document = parse(text);
  return document === undefined ? text : normalPolicy(document);
}

function parse(text: string): JsonObject | undefined {
  try {
    const value = JSON.parse(text) as Json;
    return isJsonObject(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

function normalPolicy(document: JsonObject): string {
  const { Statement: statement } = document;
  const statements = Array.isArray(statement) ? (statement as Json[]) : statement === undefined ? [] : [statement];
  return canonicalJson({ ...document, Statement: statements.map(normalStatement) });
}

/** AWS reads one string and a list of one alike, and gives back either. */
function normalStatement(statement: Json): Json {
  if (!isJsonObject(statement)) return statement;
  return Object.fromEntries(
    Object.entries(statement).map(([key, value]) => {
      if (lists.has(key)) return [key, normalList(value)];
      if ((key === "Principal" || key === "NotPrincipal") && isJsonObject(value)) return [key, normalValues(value)];
      if (key === "Condition" && isJsonObject(value)) {
        const tests = Object.entries(value).map(([test, keys]) => [
          test,
          isJsonObject(keys) ? normalValues(keys) : keys,
        ]);
        return [key, Object.fromEntries(tests) as JsonObject];
      }
      return [key, value];
    }),
  );
}

function normalValues(object: JsonObject): JsonObject {
  return Object.fromEntries(Object.entries(object).map(([key, value]) => [key, normalList(value)]));
}

function normalList(value: Json): Json {
  if (!Array.isArray(value)) return typeof value === "boolean" ? String(value) : value;
  const items = [...new Set((value as Json[]).map(String))].toSorted();
  return items.length === 1 ? (items[0] ?? "") : items;
}
