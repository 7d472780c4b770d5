import {
  isJsonObject,
  WfctlError,
  type DeposedObject,
  type Json,
  type JsonObject,
  type ResourceRecord,
} from "@wfctl/model";
import { createCursor, type Cursor } from "../foreign/cursor.ts";
import { hasOmitted, omitted, stateExportFormat } from "./write-state-export.ts";

export interface ImportedRecords {
  readonly stack: { readonly name: string; readonly environment: string };
  readonly records: readonly ResourceRecord[];
  readonly providers: readonly { readonly module: string; readonly name: string; readonly config: JsonObject }[];
  /** Names of resources that were in doubt. */
  readonly unknown: readonly string[];
  readonly secrets: "clear" | "omitted";
}

/** True where the content says that it is an export of ours, of whatever version. */
export function isStateExport(value: Json): value is JsonObject {
  const format = isJsonObject(value) ? value["format"] : undefined;
  return typeof format === "string" && format.startsWith("wfctl/state-export/");
}

const marks = ["dirty", "tainted", "imported", "adopted"] as const;
const isMark = (text: string): text is (typeof marks)[number] => (marks as readonly string[]).includes(text);

/**
 * Reads what `writeStateExport` wrote. What was left out as secret is gone: inputs that held one are dropped whole, secret
 * outputs one by one. All clean records are marked imported, so that the next plan reads their objects. Throws with the
 * place of what cannot be read.
 */
export function readStateExport(file: string, value: JsonObject): ImportedRecords {
  const root = createCursor(file, value);
  const format = root.text("format");
  if (format !== stateExportFormat) {
    throw new WfctlError(
      "IMPORT_INVALID",
      `Cannot import "${file}": its format is "${format}", expected "${stateExportFormat}"`,
      {
        hint: "Import it with the wfctl that wrote it, or a newer one; nothing was imported",
      },
    );
  }
  const secrets = root.text("secrets");
  if (secrets !== "clear" && secrets !== "omitted") {
    throw root.refuse(`has secrets "${secrets}", expected "clear" or "omitted"`);
  }
  const records = root.items("records").map((each) => readRecord(each, secrets === "omitted"));
  const names = new Set<string>();
  for (const { name } of records) {
    if (names.has(name)) throw root.refuse(`has two records of the name "${name}"`);
    names.add(name);
  }
  const stack = root.at("stack");
  return {
    stack: { name: stack?.text("name") ?? "", environment: stack?.text("environment") ?? "" },
    records,
    providers: root.items("providers").map((each) => ({
      module: each.text("module"),
      name: each.text("name"),
      config: each.at("config")?.object() ?? {},
    })),
    unknown: root.items("unknown").map((each) => each.text("name")),
    secrets,
  };
}

function readRecord(at: Cursor, lacks: boolean): ResourceRecord {
  const sensitiveInputs = at.texts("sensitiveInputs");
  const sensitiveOutputs = at.texts("sensitiveOutputs");
  const whole = at.at("inputs")?.object();
  const inputs = whole !== undefined && lacks && hasOmitted(whole, sensitiveInputs) ? undefined : whole;
  const outputs = dropOmitted(at.at("outputs")?.object() ?? {}, sensitiveOutputs, lacks);
  const mark = at.optionalText("mark");
  if (mark !== undefined && !isMark(mark)) throw at.refuse(`has the mark "${mark}", expected ${marks.join(", ")}`);
  const optional = <Key extends string>(key: Key): { readonly [K in Key]?: string } => {
    const text = at.optionalText(key);
    return (text === undefined ? {} : { [key]: text }) as { readonly [K in Key]?: string };
  };
  return {
    name: nameAt(at),
    type: at.text("type"),
    provider: at.text("provider"),
    providerName: at.text("providerName"),
    providerVersion: at.optionalText("providerVersion") ?? "",
    ...optional("providerIdentity"),
    providerId: at.text("providerId"),
    ...optional("size"),
    ...(inputs === undefined ? {} : { inputs }),
    outputs,
    sensitiveInputs: inputs === undefined ? [] : sensitiveInputs,
    sensitiveOutputs: sensitiveOutputs.filter((key) => Object.hasOwn(outputs, key)),
    dependencies: at.texts("dependencies"),
    fingerprint: "",
    mark: mark ?? "imported",
    ...optional("markReason"),
    protected: at.isTrue("protected"),
    retain: at.isTrue("retain"),
    createdByUs: at.isTrue("createdByUs"),
    deposed: at.items("deposed").map((old) => readDeposed(old, lacks)),
    createdAt: at.text("createdAt"),
    updatedAt: at.text("updatedAt"),
    ...optional("readAt"),
    ...optional("revisitAt"),
    run: at.optionalText("run") ?? "",
  };
}

function nameAt(at: Cursor): string {
  const name = at.text("name");
  if (/^[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}$/.test(name)) return name;
  throw at.refuse(`has the name "${name}", which is no name of a resource`);
}

function readDeposed(at: Cursor, lacks: boolean): DeposedObject {
  const sensitiveOutputs = at.texts("sensitiveOutputs");
  const sensitiveInputs = at.texts("sensitiveInputs");
  const outputs = dropOmitted(at.at("outputs")?.object() ?? {}, sensitiveOutputs, lacks);
  return {
    providerId: at.text("providerId"),
    type: at.text("type"),
    provider: at.text("provider"),
    outputs,
    sensitiveOutputs: sensitiveOutputs.filter((key) => Object.hasOwn(outputs, key)),
    ...(sensitiveInputs.length === 0 ? {} : { sensitiveInputs }),
    dependencies: at.texts("dependencies"),
    sinceRun: at.optionalText("sinceRun") ?? "",
  };
}

function dropOmitted(outputs: JsonObject, sensitive: readonly string[], lacks: boolean): JsonObject {
  const secret = new Set(sensitive);
  return Object.fromEntries(
    Object.entries(outputs).filter(([key, value]) => !(lacks && secret.has(key) && value === omitted)),
  );
}
