import { suggestHint, type StackConfig } from "@wfctl/config";
import type { Provider } from "@wfctl/engine";
import {
  expressionsIn,
  isJsonObject,
  type Diagnostic,
  type Expression,
  type JsonObject,
  type ResourceRecord,
  type Value,
} from "@wfctl/model";

export interface ReferenceFacts {
  readonly stack: Pick<StackConfig, "resources" | "outputs" | "locate">;
  /** By module name; what is not there is not judged. */
  readonly providers: ReadonlyMap<string, Pick<Provider, "traits">>;
  /** What has an output already has it, whatever its type lists. */
  readonly records?: ReadonlyMap<string, Pick<ResourceRecord, "outputs">>;
}

/**
 * References to outputs that the type of the resource does not have, where its provider lists them: without this they
 * would come to light in the middle of an apply.
 */
export function checkReferences({ stack, providers, records }: ReferenceFacts): Diagnostic[] {
  const listed = new Map(
    stack.resources.map((resource) => [
      resource.name,
      { type: resource.type, keys: listedOutputs(providers.get(resource.provider)?.traits(resource.type)?.outputs) },
    ]),
  );
  const check = (value: Value, place: (pointer: string) => Partial<Diagnostic>, where = ""): Diagnostic[] =>
    [...expressionsIn(value)].flatMap(([pointer, expression]) =>
      [...outputsIn(expression)].flatMap(({ resource, path }): Diagnostic[] => {
        const target = listed.get(resource);
        const key = path.split(".")[0] ?? path;
        if (target?.keys === undefined || path === "id" || target.keys.has(path) || target.keys.has(key)) return [];
        const recorded = records?.get(resource)?.outputs ?? {};
        if (Object.hasOwn(recorded, path) || Object.hasOwn(recorded, key)) return [];
        return [
          {
            severity: "error",
            code: "REFERENCE_UNRESOLVED",
            summary: `${where}"\${${resource}.${path}}" refers to an output that ${target.type} does not have`,
            hint: suggestHint(key, [...new Set(["id", ...target.keys])], "See them with: wfctl schema --types"),
            ...place(pointer),
          },
        ];
      }),
    );
  return [
    ...stack.resources.flatMap(({ name, config }) =>
      check(config, (pointer) => {
        const source = stack.locate(name, `/config${pointer}`);
        return { address: name, path: `/config${pointer}`, ...(source === undefined ? {} : { source }) };
      }),
    ),
    ...Object.entries(stack.outputs ?? {}).flatMap(([name, { value }]) =>
      check([value], () => ({}), `Output "${name}": `),
    ),
  ];
}

/** Keys of an object schema that lists what there is; undefined where others may come. */
function listedOutputs(schema: JsonObject | undefined): ReadonlySet<string> | undefined {
  const properties = schema?.["properties"];
  if (schema === undefined || !isJsonObject(properties)) return undefined;
  const open = ["additionalProperties", "patternProperties", "anyOf", "oneOf", "allOf", "$ref"];
  if (open.some((word) => schema[word] !== undefined && schema[word] !== false)) return undefined;
  return new Set(Object.keys(properties));
}

/** What an expression needs of resources; not what it asks for with `.?`, which may be missing. */
function* outputsIn(expression: Expression): Generator<{ readonly resource: string; readonly path: string }> {
  for (const part of expression.$expr) {
    if (typeof part === "string") continue;
    if (!("computed" in part)) {
      if ("resource" in part) yield part;
      continue;
    }
    for (const reference of part.refs) {
      if (!("resource" in reference)) continue;
      if (!part.computed.includes(`.?${reference.key ?? reference.path}`)) yield reference;
    }
  }
}
