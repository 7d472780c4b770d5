import { atPointer, follow, isObject, type Json, type JsonObject } from "./json.ts";

/**
 * Additions to a description that is older than the API: whole paths, members of schemas, words of enumerations. A place
 * that does not exist is an error, so that an addition goes when the description changes under it.
 */
export interface Extension {
  readonly paths?: Readonly<Record<string, JsonObject>>;
  readonly members?: readonly SchemaExtension[];
  /** Further answers: JSON pointers of an operation's `responses`, with what is added there. */
  readonly answers?: Readonly<Record<string, JsonObject>>;
}

export interface SchemaExtension {
  /** Where schemas are: JSON pointers of the schemas themselves. */
  readonly schemas: readonly string[];
  /** Steps from there, such as `spec.services[]`; empty for the schema itself. */
  readonly at: string;
  /** Members to add or to replace. */
  readonly add?: JsonObject;
  /** Words to add to the enumeration that is there. */
  readonly words?: readonly string[];
  /** Replaces what is there as a whole. */
  readonly replace?: JsonObject;
  /** No longer required. */
  readonly optional?: readonly string[];
}

/** A copy of the document with the additions. */
export function extendDescription(document: JsonObject, extension: Extension): JsonObject {
  const made = structuredClone(document);
  const paths = made["paths"];
  if (!isObject(paths)) throw new Error("The description has no paths");
  Object.assign(paths, structuredClone(extension.paths ?? {}));
  for (const change of extension.members ?? []) {
    for (const schema of change.schemas) applyChange(made, schema, change);
  }
  for (const [pointer, more] of Object.entries(extension.answers ?? {})) {
    const responses = atPointer(made, pointer);
    if (!isObject(responses)) throw new Error(`Cannot extend ${pointer}: the description has no answers there`);
    Object.assign(responses, structuredClone(more));
  }
  return made;
}

function applyChange(document: JsonObject, schema: string, change: SchemaExtension): void {
  const steps = change.at.split(/\.|(?=\[\])/).filter((step) => step !== "");
  let nodes = [resolve(document, atPointer(document, schema), schema)];
  for (const step of steps) {
    nodes = nodes.flatMap((node) => (step === "[]" ? itemsOf(document, node) : membersOf(document, node, step)));
  }
  const [target] = nodes;
  if (target === undefined)
    throw new Error(`Cannot extend "${change.at}" of ${schema}: the description has nothing there`);
  if (change.add !== undefined) addMembers(document, target, change.add);
  if (change.replace !== undefined) replaceNode(target, change.replace);
  if (change.words !== undefined) {
    for (const node of nodes) {
      if (Array.isArray(node["enum"])) node["enum"] = [...new Set([...node["enum"], ...change.words])];
    }
  }
  if (change.optional !== undefined) dropRequired(document, target, change.optional);
}

/** The parts of a schema may be shared with others: a schema that is put together gets another part. */
function addMembers(document: JsonObject, target: JsonObject, members: JsonObject): void {
  const whole = target["allOf"];
  if (Array.isArray(whole)) {
    whole.push({ type: "object", properties: structuredClone(members) });
    return;
  }
  const holder = partsOf(document, target).find((part) => isObject(part["properties"])) ?? target;
  holder["properties"] = { ...(holder["properties"] as JsonObject | undefined), ...structuredClone(members) };
}

function replaceNode(target: JsonObject, schema: JsonObject): void {
  for (const key of Object.keys(target)) delete target[key];
  Object.assign(target, structuredClone(schema));
}

function dropRequired(document: JsonObject, target: JsonObject, names: readonly string[]): void {
  for (const part of partsOf(document, target)) {
    const required = part["required"];
    if (!Array.isArray(required)) continue;
    const left = required.filter((name) => typeof name !== "string" || !names.includes(name));
    if (left.length === 0) delete part["required"];
    else part["required"] = left;
  }
}

function membersOf(document: JsonObject, node: JsonObject, name: string): JsonObject[] {
  return partsOf(document, node).flatMap((part) => {
    const properties = part["properties"];
    const member = isObject(properties) ? properties[name] : undefined;
    return member === undefined ? [] : [resolve(document, member, name)];
  });
}

function itemsOf(document: JsonObject, node: JsonObject): JsonObject[] {
  return partsOf(document, node).flatMap((part) =>
    part["items"] === undefined ? [] : [resolve(document, part["items"], "[]")],
  );
}

/** The schema and the alternatives and parts that it is made of. */
function partsOf(document: JsonObject, node: JsonObject): JsonObject[] {
  const parts = ["allOf", "oneOf", "anyOf"].flatMap((word) => {
    const list = node[word];
    if (!Array.isArray(list)) return [];
    return list.flatMap((each) => partsOf(document, resolve(document, each, word)));
  });
  return [node, ...parts];
}

function resolve(document: JsonObject, node: Json | undefined, place: string): JsonObject {
  const found = follow(document, node);
  if (!isObject(found)) throw new Error(`Cannot extend "${place}": the description has no schema there`);
  return found;
}
