import {
  getAtPointer,
  mapAtPointers,
  type Json,
  type JsonObject,
  type ResourceRecord,
  type StackState,
} from "@wfctl/model";

/** Name and version of the format: another version is another format. */
export const stateExportFormat = "wfctl/state-export/1";
/** What stands in the place of a secret that was left out. */
export const omitted = "(sensitive)";
/** The value is kept in a secret store, and this only names it. */
const reference = "secret_ref://";

export interface ExportInput {
  readonly stack: { readonly name: string; readonly environment: string };
  readonly version: string;
  readonly state: StackState;
  /** Secrets in clear, and the configurations of provider modules. */
  readonly secrets: boolean;
}

/** All records of a state as documented JSON. The same state gives the same text. Secrets are left out unless told. */
export function writeStateExport({ stack, version, state, secrets }: ExportInput): string {
  const records = [...state.records.values()].toSorted(byName);
  const content: JsonObject = {
    format: stateExportFormat,
    wfctl: version,
    stack: { name: stack.name, environment: stack.environment },
    lineage: state.lineage,
    serial: state.serial,
    secrets: secrets ? "clear" : "omitted",
    records: records.map((record) => toJson(secrets ? record : withoutSecrets(record))),
    unknown: [...state.unknown.entries()]
      .map(([name, { intent, why }]) => ({ name, operation: intent.operation, why }))
      .toSorted(byName),
    ...(secrets
      ? {
          providers: [...state.providerConfigs.entries()]
            .map(([module, { name, config }]) => ({ module, name, config }))
            .toSorted((a, b) => (a.module < b.module ? -1 : 1)),
        }
      : {}),
  };
  return `${JSON.stringify(content, undefined, 2)}\n`;
}

function byName(a: { readonly name: string }, b: { readonly name: string }): number {
  return a.name < b.name ? -1 : 1;
}

/** The fingerprint is a digest under the key of this state: it says nothing to another. */
function toJson({ fingerprint: _, ...record }: ResourceRecord): JsonObject {
  return record as unknown as JsonObject;
}

function withoutSecrets(record: ResourceRecord): ResourceRecord {
  const { inputs } = record;
  return {
    ...record,
    ...(inputs === undefined ? {} : { inputs: mapAtPointers(inputs, record.sensitiveInputs, hide) as JsonObject }),
    outputs: hideKeys(record.outputs, record.sensitiveOutputs),
    deposed: record.deposed.map((old) => ({ ...old, outputs: hideKeys(old.outputs, old.sensitiveOutputs) })),
  };
}

function hide(value: Json): Json {
  return typeof value === "string" && value.startsWith(reference) && !value.includes(" ") ? value : omitted;
}

function hideKeys(outputs: JsonObject, sensitive: readonly string[]): JsonObject {
  const secret = new Set(sensitive);
  return Object.fromEntries(
    Object.entries(outputs).map(([key, value]): [string, Json] => [key, secret.has(key) ? hide(value) : value]),
  );
}

/** True where a secret at one of these pointers was left out. */
export function hasOmitted(inputs: JsonObject, pointers: readonly string[]): boolean {
  return pointers.some((pointer) => getAtPointer(inputs, pointer) === omitted);
}
