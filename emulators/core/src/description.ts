import { atPointer, follow, isObject, toPointer, type Json, type JsonObject } from "./json.ts";

export interface Parameter {
  readonly name: string;
  readonly in: "query" | "path" | "header";
  readonly required: boolean;
  readonly schema: JsonObject;
}

/** One operation of an OpenAPI 3 description. Schemas are named by their place in the document. */
export interface Operation {
  readonly id: string;
  readonly method: string;
  readonly path: string;
  readonly parameters: readonly Parameter[];
  readonly body: { readonly required: boolean; readonly pointer: string } | undefined;
  /** Answers by status code or `default`; without a pointer the answer has no JSON body. */
  readonly responses: Readonly<Record<string, { readonly pointer: string | undefined }>>;
}

const methods = ["get", "post", "put", "patch", "delete", "head"] as const;
const json = "application/json";

/** The operations of a description. `only` keeps those whose path it accepts. */
export function readOperations(document: JsonObject, only: (path: string) => boolean = () => true): Operation[] {
  const operations: Operation[] = [];
  for (const [path, item] of Object.entries(asObject(document["paths"]))) {
    if (!only(path)) continue;
    for (const method of methods) {
      const node = asObject(item)[method];
      if (isObject(node)) operations.push(readOperation(document, path, method, asObject(item), node));
    }
  }
  return operations;
}

function readOperation(
  document: JsonObject,
  path: string,
  method: string,
  item: JsonObject,
  node: JsonObject,
): Operation {
  const place = ["paths", path, method] as const;
  const id = node["operationId"];
  return {
    id: typeof id === "string" ? id : `${method} ${path}`,
    method: method.toUpperCase(),
    path,
    parameters: [...asList(item["parameters"]), ...asList(node["parameters"])].flatMap((each) =>
      readParameter(document, each),
    ),
    body: readBody(document, node, place),
    responses: readResponses(document, node, place),
  };
}

function readParameter(document: JsonObject, given: Json): Parameter[] {
  const node = asObject(follow(document, given));
  const { name, in: place, required, schema } = node;
  if (typeof name !== "string" || (place !== "query" && place !== "path" && place !== "header")) return [];
  return [{ name, in: place, required: required === true, schema: asObject(follow(document, schema)) }];
}

function readBody(document: JsonObject, node: JsonObject, place: readonly string[]): Operation["body"] {
  if (node["requestBody"] === undefined) return undefined;
  const pointer = settle(document, toPointer(...place, "requestBody"));
  const body = asObject(atPointer(document, pointer));
  if (!isObject(asObject(body["content"])[json])) return undefined;
  return { required: body["required"] === true, pointer: `${pointer}/content/application~1json/schema` };
}

function readResponses(document: JsonObject, node: JsonObject, place: readonly string[]): Operation["responses"] {
  const responses: Record<string, { pointer: string | undefined }> = {};
  for (const status of Object.keys(asObject(node["responses"]))) {
    const pointer = settle(document, toPointer(...place, "responses", status));
    const content = asObject(asObject(atPointer(document, pointer))["content"]);
    const schema = asObject(content[json])["schema"];
    responses[status] = { pointer: schema === undefined ? undefined : `${pointer}/content/application~1json/schema` };
  }
  return responses;
}

/** The pointer itself, or the one that the reference found there leads to. */
function settle(document: JsonObject, pointer: string): string {
  const node = atPointer(document, pointer);
  return isObject(node) && typeof node["$ref"] === "string" ? settle(document, node["$ref"]) : pointer;
}

export function asObject(value: Json | undefined): JsonObject {
  return isObject(value) ? value : {};
}

function asList(value: Json | undefined): Json[] {
  return Array.isArray(value) ? value : [];
}
