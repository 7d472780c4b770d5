import type { Json, JsonObject } from "@wfctl/model";

/** YAML of a JSON value. Text is quoted wherever YAML could read something else in it. */
export function toYaml(value: Json): string {
  return `${render(value, "").replace(/^\n/, "")}\n`;
}

const deepestMargin = 60;

function render(value: Json, margin: string): string {
  if (value === null || typeof value !== "object") return scalar(value);
  // Nobody reads on there, and each level writes its margin once more. JSON is YAML.
  if (margin.length > deepestMargin) return JSON.stringify(value);
  const entries: readonly (readonly [string, Json])[] = Array.isArray(value)
    ? value.map((item: Json) => ["-", item] as const)
    : Object.entries(value as JsonObject).map(([key, member]) => [`${scalar(key)}:`, member] as const);
  if (entries.length === 0) return Array.isArray(value) ? "[]" : "{}";
  return entries
    .map(([head, member]) => {
      const body = render(member, `${margin}  `);
      return `\n${margin}${head}${body.startsWith("\n") ? body : ` ${body}`}`;
    })
    .join("");
}

const plain = /^[A-Za-z_/][\w./@+-]*( [\w./@+-]+)*$/;
const meaningful = /^(true|false|yes|no|on|off|null|y|n|~|\.(nan|inf))$/i;

function scalar(value: string | number | boolean | null): string {
  if (typeof value !== "string") return JSON.stringify(value);
  return plain.test(value) && !meaningful.test(value) ? value : JSON.stringify(value);
}
