import type { Json } from "@wfctl/model";
import { createCursor, type Cursor } from "./cursor.ts";
import type { Attribute, ForeignObject, ForeignState } from "./foreign-state.ts";

/** Reads a state of Terraform or OpenTofu, format version 4. No attribute is read before somebody asks for it. */
export function readTerraformState(file: string, value: Json): ForeignState {
  const root = createCursor(file, value);
  const objects: ForeignObject[] = [];
  const skipped: ForeignState["skipped"][number][] = [];
  for (const resource of root.items("resources")) {
    const address = addressOf(resource);
    const mode = resource.text("mode");
    if (mode === "data") {
      skipped.push({ address, why: "it is a data source: it only reads" });
      continue;
    }
    if (mode !== "managed") throw resource.refuse(`has the mode "${mode}", expected "managed" or "data"`);
    for (const instance of resource.items("instances")) objects.push(readInstance(resource, instance, address));
  }
  return { format: "Terraform state, version 4", objects, skipped, notes: [] };
}

function addressOf(resource: Cursor): string {
  const module = resource.optionalText("module") ?? "";
  const data = resource.optionalText("mode") === "data" ? "data." : "";
  const own = `${data}${resource.text("type")}.${resource.text("name")}`;
  return module === "" ? own : `${module}.${own}`;
}

function readInstance(resource: Cursor, instance: Cursor, address: string): ForeignObject {
  const { index_key: index } = instance.object();
  if (index !== undefined && index !== null && typeof index !== "string" && typeof index !== "number") {
    throw instance.refuse("has an index_key that is neither a number nor a text");
  }
  const key = index === undefined || index === null ? undefined : String(index);
  const deposed = instance.optionalText("deposed");
  const suffix = key === undefined ? "" : `[${typeof index === "number" ? index : JSON.stringify(index)}]`;
  const attributes = instance.at("attributes") ?? instance.at("attributes_flat");
  attributes?.object();
  return {
    address: `${address}${suffix}${deposed === undefined ? "" : ` (deposed ${deposed})`}`,
    type: resource.text("type"),
    provider: readProvider(resource),
    path: moduleNames(resource),
    name: resource.text("name"),
    ...(key === undefined ? {} : { key }),
    status: deposed !== undefined ? "old" : instance.optionalText("status") === "tainted" ? "tainted" : "current",
    protected: false,
    retain: false,
    dependencies: instance.texts("dependencies"),
    attribute: (name) => toAttribute(attributes, name),
  };
}

function toAttribute(attributes: Cursor | undefined, name: string): Attribute {
  const found = attributes?.at(name)?.value;
  if (typeof found === "string" && found !== "") return { is: "value", text: found };
  if (typeof found === "number") return { is: "value", text: String(found) };
  return { is: "missing" };
}

/** `module.net.provider["registry.terraform.io/hashicorp/aws"].west`, and `provider.aws.west` of Terraform 0.12. */
function readProvider(resource: Cursor): ForeignObject["provider"] {
  const text = resource.text("provider");
  const named = /(?:^|\.)provider\["([^"]+)"\](?:\.([\w-]+))?$/.exec(text);
  const [, source, alias] = named ?? /(?:^|\.)provider\.([\w-]+)(?:\.([\w-]+))?$/.exec(text) ?? [];
  if (source === undefined) throw resource.refuse(`has the provider "${text}", expected provider["…"]`);
  const name = source.split("/").at(-1) ?? source;
  return alias === undefined ? { name } : { name, alias };
}

/** `module.net["eu.1"].module.inner[0]` is `net-eu.1` in `inner-0`. */
function moduleNames(resource: Cursor): readonly string[] {
  const text = resource.optionalText("module") ?? "";
  const names: string[] = [];
  let rest = text;
  while (rest !== "") {
    const found = /^\.?module\.([\w-]+)(?:\[(\d+|"(?:[^"\\]|\\.)*")\])?/.exec(rest);
    if (found === null) throw resource.refuse(`has the module "${text}", expected module.NAME`);
    const [whole, name = "", index] = found;
    const key = index?.startsWith('"') === true ? (JSON.parse(index) as string) : index;
    names.push(key === undefined ? name : `${name}-${key}`);
    rest = rest.slice(whole.length);
  }
  return names;
}
