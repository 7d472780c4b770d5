import { isJsonObject, type Json } from "@wfctl/model";
import { createCursor, type Cursor } from "./cursor.ts";
import type { Attribute, ForeignObject, ForeignState } from "./foreign-state.ts";

/** Pulumi marks a secret by an object with this member. */
const signatureKey = "4dabf18193072939515e22adb298388d";

/** Reads the JSON of `pulumi stack export`, format version 3. Encrypted values stay what they are. */
export function readPulumiExport(file: string, value: Json): ForeignState {
  const root = createCursor(file, value);
  const deployment = root.at("deployment");
  if (deployment === undefined) throw root.refuse("has no deployment");
  const resources = deployment.items("resources");
  const parents = new Map(resources.map((each) => [each.text("urn"), each.optionalText("parent") ?? ""]));
  const objects: ForeignObject[] = [];
  const skipped: ForeignState["skipped"][number][] = [];
  let secrets = 0;
  for (const resource of resources) {
    const urn = resource.text("urn");
    const type = resource.text("type");
    const why = whySkipped(resource, type);
    if (why !== undefined) {
      if (why !== "") skipped.push({ address: urn, why });
      continue;
    }
    secrets += countSecrets(resource.at("outputs")?.value ?? null);
    objects.push(readObject(resource, { urn, type, parents }));
  }
  const pending = deployment.items("pending_operations").map((each) => {
    const of = each.at("resource")?.optionalText("urn") ?? "an object";
    return `${each.optionalText("type") ?? "a call"} ${of}`;
  });
  return {
    format: "Pulumi export, version 3",
    objects,
    skipped,
    notes: [
      ...(secrets === 0
        ? []
        : [
            `${secrets} ${secrets === 1 ? "value is" : "values are"} encrypted by Pulumi and cannot be read; nothing of them is needed: outputs are read from the cloud, secret inputs are what the stack file says`,
          ]),
      ...(pending.length === 0
        ? []
        : [
            `Pulumi does not know what became of these calls, so look for their objects yourself: ${pending.join(", ")}`,
          ]),
    ],
  };
}

/** Empty where it is nothing that anybody would look for. */
function whySkipped(resource: Cursor, type: string): string | undefined {
  if (type === "pulumi:pulumi:Stack" || type.startsWith("pulumi:providers:")) return "";
  if (!resource.isTrue("custom")) return "it is a component: its parts are listed by themselves";
  if (resource.isTrue("external")) return "Pulumi only reads it";
  return undefined;
}

function readObject(
  resource: Cursor,
  about: { readonly urn: string; readonly type: string; readonly parents: ReadonlyMap<string, string> },
): ForeignObject {
  const { urn, type, parents } = about;
  const outputs = resource.at("outputs");
  outputs?.object();
  const inputs = resource.at("inputs");
  inputs?.object();
  const id = resource.optionalText("id");
  const old = resource.isTrue("delete");
  const taint = resource.isTrue("taint") || resource.isTrue("pendingReplacement");
  return {
    address: old ? `${urn} (to be deleted, id ${id ?? "unknown"})` : urn,
    type,
    provider: readProvider(resource, type),
    path: pathOf(urn, parents),
    name: nameOf(urn),
    status: old ? "old" : taint ? "tainted" : "current",
    protected: resource.isTrue("protect"),
    retain: resource.isTrue("retainOnDelete"),
    dependencies: [...new Set([...resource.texts("dependencies"), ...propertyDependencies(resource)])],
    attribute(name) {
      if (name === "id") return id === undefined || id === "" ? { is: "missing" } : { is: "value", text: id };
      const key = toCamel(name);
      const found = toAttribute(outputs, key);
      return found.is === "missing" ? toAttribute(inputs, key) : found;
    },
  };
}

function toAttribute(values: Cursor | undefined, key: string): Attribute {
  const found = values?.at(key)?.value;
  if (isJsonObject(found) && signatureKey in found) return { is: "encrypted" };
  if (typeof found === "string" && found !== "") return { is: "value", text: found };
  if (typeof found === "number") return { is: "value", text: String(found) };
  return { is: "missing" };
}

function toCamel(name: string): string {
  return name.replaceAll(/_([a-z0-9])/g, (_, letter: string) => letter.toUpperCase());
}

/** `urn:pulumi:dev::shop::pulumi:providers:aws::west::UUID`; those that Pulumi makes itself are called `default_6_0`. */
function readProvider(resource: Cursor, type: string): ForeignObject["provider"] {
  const reference = resource.optionalText("provider") ?? "";
  const [, name = type.split(":")[0] ?? type, alias = "default"] =
    /::pulumi:providers:([^:]+)::(.+?)::[^:]*$/.exec(reference) ?? [];
  return /^default(_|$)/.test(alias) ? { name } : { name, alias };
}

function nameOf(urn: string): string {
  const at = urn.indexOf("::", urn.indexOf("::", urn.indexOf("::") + 2) + 2);
  return at < 0 ? urn : urn.slice(at + 2);
}

/** Components around it, without the stack. */
function pathOf(urn: string, parents: ReadonlyMap<string, string>): readonly string[] {
  const path: string[] = [];
  const seen = new Set<string>([urn]);
  for (let at = parents.get(urn) ?? ""; at !== "" && !seen.has(at); at = parents.get(at) ?? "") {
    seen.add(at);
    if (!at.includes("::pulumi:pulumi:Stack::")) path.unshift(nameOf(at));
  }
  return path;
}

function propertyDependencies(resource: Cursor): readonly string[] {
  const all = resource.at("propertyDependencies");
  return all === undefined ? [] : Object.keys(all.object()).flatMap((key) => all.texts(key));
}

function countSecrets(value: Json): number {
  let count = 0;
  const open: Json[] = [value];
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    if (next === null || typeof next !== "object") continue;
    if (isJsonObject(next) && signatureKey in next) count += 1;
    else for (const member of Object.values(next) as Json[]) open.push(member);
  }
  return count;
}
