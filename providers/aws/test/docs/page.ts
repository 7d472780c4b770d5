import { z, type Resource } from "@wfctl/plugin-sdk";
import type { AwsClient } from "../../src/client.ts";
import { awsConfig } from "../../src/config.ts";
import { resources } from "../../src/resources/index.ts";
import { introduction, notes } from "./notes.ts";
import { listKeys, type Key } from "./schema-keys.ts";

/** Text of docs/providers/aws.md. */
export function awsPage(): string {
  return [introduction, providerSection(), ...resources.map(typeSection), ""].join("\n\n");
}

function providerSection(): string {
  return `## Provider configuration\n\n${keyTable(listKeys(z.toJSONSchema(awsConfig, { io: "input", unrepresentable: "any" })), new Map())}`;
}

function typeSection(resource: Resource<AwsClient>): string {
  const input = z.toJSONSchema(resource.input, { io: "input", unrepresentable: "any" });
  const outputs = z.toJSONSchema(resource.outputs, { io: "input", unrepresentable: "any" });
  const note = notes[resource.type];
  return [
    `## ${resource.type}`,
    `${resource.description}.${note === undefined ? "" : ` ${note}`}`,
    keyTable(listKeys(input), marksOf(resource)),
    `Outputs: ${outputText(listKeys(outputs), resource)}.`,
    behaviour(resource),
    `Permissions: ${(resource.permissions ?? []).map((each) => `\`${each}\``).join(", ")}.`,
  ].join("\n\n");
}

function marksOf(resource: Resource<AwsClient>): Map<string, string[]> {
  const marks = new Map<string, string[]>();
  const add = (paths: readonly string[] | undefined, mark: string): void => {
    for (const path of paths ?? []) marks.set(path, [...(marks.get(path) ?? []), mark]);
  };
  add(resource.forceNew, "a change replaces");
  add(resource.sensitiveInputs, "secret");
  add(resource.writeOnly, "not read back");
  add(resource.resetWhenUnset, "taken away when dropped");
  return marks;
}

function keyTable(keys: readonly Key[], marks: ReadonlyMap<string, readonly string[]>): string {
  const rows = keys.map(({ path, type, required, fallback, text }) => {
    const all = [...(text === "" ? [] : [text]), ...(marks.get(path) ?? [])].join("; ");
    const standard = required ? "required" : fallback;
    return `| \`${path}\` | ${type} | ${standard} | ${all} |`;
  });
  return ["| key | type | default | |", "|---|---|---|---|", ...rows].join("\n");
}

function outputText(keys: readonly Key[], resource: Resource<AwsClient>): string {
  const secret = new Set<string>(resource.sensitiveOutputs ?? []);
  return keys
    .filter(({ path }) => !/[.[*]/.test(path))
    .map(({ path, text }) => {
      const what = [...(secret.has(path) ? ["secret"] : []), ...(text === "" ? [] : [lowerFirst(text)])].join("; ");
      return what === "" ? `\`${path}\`` : `\`${path}\` (${what})`;
    })
    .join(", ");
}

function behaviour(resource: Resource<AwsClient>): string {
  const { create, update, delete: remove } = { ...resource.timeouts };
  const minutes = (ms: number | undefined): string => `${(ms ?? 1_800_000) / 60_000} min`;
  const replace = resource.createFirst === true ? "a new one first" : "the old one first deleted";
  const undo =
    resource.irreversibleUpdate === true ? "only a create can be undone" : "a create and an update can be undone";
  return `Replacement: ${replace}. Undo: ${undo}. Time limits: create ${minutes(create)}, update ${minutes(update)}, delete ${minutes(remove)}.`;
}

function lowerFirst(text: string): string {
  return /^[A-Z][a-z]/.test(text) ? `${text[0]?.toLowerCase()}${text.slice(1)}` : text;
}
