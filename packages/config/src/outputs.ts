import { isJsonObject, type Json, type JsonObject } from "@wfctl/model";
import { child, type FieldReader } from "./fields.ts";
import type { Linker } from "./link.ts";
import type { Reporter } from "./reporter.ts";
import type { Sections } from "./sections.ts";
import type { StackOutput } from "./stack.ts";
import type { ValueReader } from "./variables/value-reader.ts";

const outputKeys: ReadonlySet<string> = new Set(["value", "sensitive", "description"]);

/**
 * Reads `outputs`: a name with its value, or with a mapping of `value`, `sensitive` and `description`.
 * References are checked where a linker is given.
 */
export function readOutputs(
  sections: Sections,
  linker: Linker | undefined,
  values: ValueReader,
  fields: FieldReader,
  reporter: Reporter,
): { readonly [name: string]: StackOutput } | undefined {
  if (sections.outputs.size === 0) return undefined;
  const outputs: [string, StackOutput][] = [];
  for (const [name, { spot, value }] of sections.outputs) {
    const long = isJsonObject(value);
    const settings: JsonObject = long ? value : {};
    if (long) {
      fields.checkKeys(settings, spot, "in an output", outputKeys);
      if (settings["value"] === undefined) {
        reporter.report(spot, {
          summary: `The output "${name}" has no value`,
          hint: "Write value: ${resource.output} below it",
        });
      }
    }
    const place = long ? child(spot, "value") : spot;
    const written: Json = long ? (settings["value"] ?? null) : value;
    const read = values.read(written, place);
    const linked = linker?.link(read, { root: place.path, spotOf: (path) => child(place, ...path) }) ?? read;
    const description = fields.text(settings, spot, "description");
    outputs.push([
      name,
      {
        value: linked,
        sensitive: fields.boolean(settings, spot, "sensitive") ?? false,
        ...(description === undefined ? {} : { description }),
      },
    ]);
  }
  return Object.fromEntries(outputs);
}
