import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { z, type JsonObject, type Resource } from "@wfctl/plugin-sdk";
import type { DigitalOceanClient } from "./client.ts";
import { digitalOceanConfig } from "./config.ts";
import { docsHead, docsNotes } from "./docs-text.ts";
import { resources } from "./resources/index.ts";

/** Writes docs/providers/digitalocean.md: `npm run docs -w providers/digitalocean`. A test holds them equal. */
export function docsText(): string {
  const parts = [docsHead, "## Provider configuration\n", keyTable(schemaOf(digitalOceanConfig), emptyTraits)];
  parts.push("\n## Types at a glance\n", glance());
  for (const resource of resources) parts.push(section(resource));
  return `${parts.join("\n").trimEnd()}\n`;
}

interface Traits {
  readonly forceNew: readonly string[];
  readonly writeOnly: readonly string[];
  readonly sensitive: readonly string[];
}

const emptyTraits: Traits = { forceNew: [], writeOnly: [], sensitive: [] };

function schemaOf(schema: z.ZodType, io: "input" | "output" = "input"): JsonObject {
  return z.toJSONSchema(schema, { io, unrepresentable: "any" }) as unknown as JsonObject;
}

function glance(): string {
  const rows = resources.map((resource) => {
    const mark = resource.setOwner === undefined ? "–" : resource.type === "infra.dns" ? "in a text record" : "tags";
    const found = resource.lookup === undefined ? "its name, and a read before the create" : "client token";
    const undo = resource.irreversibleUpdate === true ? "no" : "yes";
    const lists = resource.list === undefined ? "–" : "yes";
    return `| \`${resource.type}\` | ${resource.description} | ${mark} | ${found} | ${undo} | ${resource.createFirst === true ? "yes" : "–"} | ${lists} |`;
  });
  const head =
    "| type | what it is | ownership mark | a create whose answer was lost is found by | an update can be undone | can be replaced create-first | can be listed |";
  return [head, "|---|---|---|---|---|---|---|", ...rows, ""].join("\n");
}

function section(resource: Resource<DigitalOceanClient>): string {
  const traits: Traits = {
    forceNew: (resource.forceNew ?? []) as readonly string[],
    writeOnly: (resource.writeOnly ?? []) as readonly string[],
    sensitive: (resource.sensitiveInputs ?? []) as readonly string[],
  };
  const { create = 1_800_000, update = 1_800_000, delete: remove = 1_800_000 } = resource.timeouts ?? {};
  const minutes = (ms: number): string => `${Math.round(ms / 60_000)} min`;
  return [
    `\n## ${resource.type}\n`,
    `${docsNotes[resource.type] ?? resource.description}\n`,
    keyTable(schemaOf(resource.input), traits),
    "",
    `Outputs: ${outputList(resource)}.`,
    "",
    `Time limits: create ${minutes(create)}, update ${minutes(update)}, delete ${minutes(remove)}.`,
    ...(resource.permissions === undefined
      ? []
      : [`Token scopes: ${resource.permissions.map((each) => `\`${each}\``).join(", ")}.`]),
  ].join("\n");
}

function outputList(resource: Resource<DigitalOceanClient>): string {
  const keys = Object.keys((schemaOf(resource.outputs, "output")["properties"] ?? {}) as JsonObject);
  const secret = (resource.sensitiveOutputs ?? []) as readonly string[];
  return keys.map((key) => `\`${key}\`${secret.includes(key) ? " (secret)" : ""}`).join(", ");
}

function keyTable(schema: JsonObject, traits: Traits): string {
  const properties = (schema["properties"] ?? {}) as Readonly<Record<string, JsonObject>>;
  const required = (schema["required"] ?? []) as readonly string[];
  const rows = Object.entries(properties).map(([key, property]) => {
    const notes = [
      ...(required.includes(key) ? ["required"] : []),
      ...(property["default"] === undefined || isEmpty(property["default"])
        ? []
        : [`default \`${JSON.stringify(property["default"])}\``]),
      ...(traits.forceNew.includes(key) ? ["**change replaces**"] : []),
      ...(traits.sensitive.includes(key) ? ["secret"] : []),
      ...(traits.writeOnly.includes(key) ? ["cannot be read back"] : []),
    ];
    const text = typeof property["description"] === "string" ? property["description"] : "";
    return `| \`${key}\` | ${typeOf(property)} | ${[text, notes.join(", ")]
      .filter((each) => each !== "")
      .join("; ")
      .replaceAll("|", "\\|")} |`;
  });
  return ["| key | type | |", "|---|---|---|", ...rows].join("\n");
}

function isEmpty(value: unknown): boolean {
  return typeof value === "object" && value !== null && Object.keys(value).length === 0;
}

function typeOf(schema: JsonObject): string {
  const words = schema["enum"];
  if (Array.isArray(words)) return words.map((word) => `\`${String(word)}\``).join(", ");
  if (schema["const"] !== undefined) return `\`${JSON.stringify(schema["const"])}\``;
  const branches = (schema["anyOf"] ?? schema["oneOf"]) as readonly JsonObject[] | undefined;
  if (branches !== undefined) return [...new Set(branches.map(typeOf))].join(" or ");
  if (schema["type"] === "array") return `list of ${typeOf((schema["items"] ?? {}) as JsonObject)}`;
  if (schema["type"] !== "object") return typeof schema["type"] === "string" ? schema["type"] : "any";
  const members = Object.keys((schema["properties"] ?? {}) as JsonObject);
  return members.length === 0 ? "map" : `{ ${members.join(", ")} }`;
}

if (import.meta.main) writeFileSync(join(import.meta.dirname, "../../../docs/providers/digitalocean.md"), docsText());
