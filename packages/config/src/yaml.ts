import { parse } from "yaml";

/** Reads one YAML document of plain data: text, numbers, lists, mappings. Throws an `Error` that names the place. */
export function parseYaml(text: string): unknown {
  return parse(text, { schema: "core", maxAliasCount: 0 });
}
