import type { Json, JsonObject } from "@wfctl/model";

/** One `NAME='value'` line for each value, nested keys joined by underscores; a shell reads exactly the value. */
export function toShellVariables(values: JsonObject): string {
  return [...variables(values, "")].map(([name, value]) => `${name}=${quote(value)}\n`).join("");
}

function* variables(value: Json, name: string): Generator<[string, string]> {
  if (value !== null && typeof value === "object" && !Array.isArray(value)) {
    for (const [key, member] of Object.entries(value as JsonObject)) {
      const part = key.toUpperCase().replaceAll(/[^A-Z0-9]+/g, "_");
      yield* variables(member, name === "" ? part.replace(/^(?=\d)/, "_") : `${name}_${part}`);
    }
    return;
  }
  yield [name, typeof value === "string" ? value : JSON.stringify(value)];
}

/** A word as one would type it: in quotes only where a shell would take it apart. */
export function shellWord(text: string): string {
  return /^[\w./:@%+=,-]+$/.test(text) ? text : quote(text);
}

function quote(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`;
}
