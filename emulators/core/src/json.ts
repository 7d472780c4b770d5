export type Json = null | boolean | number | string | Json[] | { [key: string]: Json };
export type JsonObject = { [key: string]: Json };

export function isObject(value: unknown): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** The node at a JSON pointer such as `#/paths/~1v2~1vpcs/get`, or undefined. References on the way are followed. */
export function atPointer(document: Json, pointer: string): Json | undefined {
  const place = canonicalPointer(document, pointer);
  return place === undefined ? undefined : walk(document, stepsOf(place));
}

/** The same place without a reference on the way, or undefined where there is nothing. */
export function canonicalPointer(document: Json, pointer: string, hops = 0): string | undefined {
  let node: Json | undefined = document;
  const passed: string[] = [];
  const steps = stepsOf(pointer);
  for (const [index, step] of steps.entries()) {
    if (isObject(node) && typeof node["$ref"] === "string" && hops < 50) {
      const rest = steps.slice(index);
      return canonicalPointer(document, toPointer(...stepsOf(node["$ref"]), ...rest), hops + 1);
    }
    node = stepInto(node, step);
    if (node === undefined) return undefined;
    passed.push(step);
  }
  return toPointer(...passed);
}

function stepsOf(pointer: string): string[] {
  return pointer
    .replace(/^#?\/?/, "")
    .split("/")
    .filter((step) => step !== "")
    .map((step) => decodeURIComponent(step).replaceAll("~1", "/").replaceAll("~0", "~"));
}

function walk(document: Json, steps: readonly string[]): Json | undefined {
  let node: Json | undefined = document;
  for (const step of steps) node = stepInto(node, step);
  return node;
}

function stepInto(node: Json | undefined, step: string): Json | undefined {
  if (Array.isArray(node)) return node[Number(step)];
  return isObject(node) ? node[step] : undefined;
}

export function toPointer(...steps: readonly string[]): string {
  return `#/${steps.map((step) => encodeURIComponent(step.replaceAll("~", "~0").replaceAll("/", "~1"))).join("/")}`;
}

/** Follows `$ref` until there is none. Throws where one leads nowhere. */
export function follow(document: Json, node: Json | undefined): Json | undefined {
  let at = node;
  for (let hops = 0; isObject(at) && typeof at["$ref"] === "string"; hops += 1) {
    const pointer = at["$ref"];
    at = hops > 50 ? undefined : atPointer(document, pointer);
    if (at === undefined) throw new Error(`Cannot follow "${pointer}": the description has nothing there`);
  }
  return at;
}
