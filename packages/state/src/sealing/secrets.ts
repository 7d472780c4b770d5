import {
  isJsonObject,
  pointerToPath,
  type DeposedObject,
  type Intent,
  type Json,
  type JsonObject,
  type ResourceRecord,
  type RunState,
  type StackState,
} from "@wfctl/model";

/**
 * Where secrets stand in what a store keeps. `visit` gets each value with the place it stands in; the place depends on
 * the resource and the field only, so a value may go from an intent to a record as it is.
 * What holds no secret comes back as the same object.
 */
export type VisitSecret = (value: Json, context: string) => Json;

type RecordLike = Pick<ResourceRecord, "name" | "sensitiveInputs" | "deposed"> &
  Partial<Pick<ResourceRecord, "inputs" | "outputs" | "sensitiveOutputs">>;

export function mapRecordSecrets<T extends RecordLike>(record: T, visit: VisitSecret): T {
  const inputs = mapInputs(record.name, record.inputs, record.sensitiveInputs, visit);
  const outputs = mapOutputs(record.name, record.outputs, record.sensitiveOutputs ?? [], visit);
  const deposed = mapAll(record.deposed, (object) => mapDeposed(record.name, object, visit));
  if (inputs === record.inputs && outputs === record.outputs && deposed === record.deposed) return record;
  return {
    ...record,
    ...(inputs === undefined ? {} : { inputs }),
    ...(outputs === undefined ? {} : { outputs }),
    deposed,
  };
}

export function mapIntentSecrets(intent: Intent, visit: VisitSecret): Intent {
  const { name } = intent;
  const inputs = mapInputs(name, intent.inputs, intent.sensitiveInputs, visit);
  const before = intent.before === undefined ? undefined : mapRecordSecrets(intent.before, visit);
  const after = intent.after === undefined ? undefined : mapRecordSecrets(intent.after, visit);
  const live = [
    ...intent.sensitiveInputs,
    ...(intent.before?.sensitiveInputs ?? []),
    ...(intent.after?.sensitiveInputs ?? []),
  ];
  const liveInputs = mapInputs(name, intent.liveInputs, live, visit);
  const same =
    inputs === intent.inputs && before === intent.before && after === intent.after && liveInputs === intent.liveInputs;
  if (same) return intent;
  return {
    ...intent,
    ...(inputs === undefined ? {} : { inputs }),
    ...(before === undefined ? {} : { before }),
    ...(after === undefined ? {} : { after }),
    ...(liveInputs === undefined ? {} : { liveInputs }),
  };
}

export function mapRunSecrets(run: RunState, visit: VisitSecret): RunState {
  const map = (intents: readonly Intent[]): readonly Intent[] =>
    mapAll(intents, (intent) => mapIntentSecrets(intent, visit));
  return {
    ...run,
    openIntents: map(run.openIntents),
    unknownIntents: run.unknownIntents.map(({ intent, why }) => ({ intent: mapIntentSecrets(intent, visit), why })),
    sentIntents: map(run.sentIntents),
  };
}

export function mapStackSecrets(state: StackState, visit: VisitSecret): StackState {
  const records = new Map<string, ResourceRecord>();
  for (const [name, record] of state.records) records.set(name, mapRecordSecrets(record, visit));
  const unknown = new Map<string, { intent: Intent; why: string }>();
  for (const [name, { intent, why }] of state.unknown)
    unknown.set(name, { intent: mapIntentSecrets(intent, visit), why });
  const providerConfigs = new Map<string, { name: string; config: JsonObject }>();
  for (const [provider, { name, config }] of state.providerConfigs) {
    providerConfigs.set(provider, { name, config: mapProviderConfig(provider, config, visit) });
  }
  const openRuns = state.openRuns.map((run) => mapRunSecrets(run, visit));
  return { ...state, records, unknown, providerConfigs, openRuns };
}

/** A provider's configuration is secret as a whole. */
export function mapProviderConfig(provider: string, config: JsonObject, visit: VisitSecret): JsonObject {
  return visit(config, `provider ${provider}`) as JsonObject;
}

function mapDeposed(name: string, object: DeposedObject, visit: VisitSecret): DeposedObject {
  const outputs = mapOutputs(name, object.outputs, object.sensitiveOutputs, visit);
  return outputs === undefined || outputs === object.outputs ? object : { ...object, outputs };
}

function mapInputs(
  name: string,
  inputs: JsonObject | undefined,
  pointers: readonly string[],
  visit: VisitSecret,
): JsonObject | undefined {
  if (inputs === undefined || pointers.length === 0) return inputs;
  let result: Json = inputs;
  for (const pointer of outermost(pointers)) {
    result = replaceAt(result, pointerToPath(pointer), (value) => visit(value, `${name} inputs ${pointer}`));
  }
  return result as JsonObject;
}

function mapOutputs(
  name: string,
  outputs: JsonObject | undefined,
  keys: readonly string[],
  visit: VisitSecret,
): JsonObject | undefined {
  if (outputs === undefined || keys.length === 0) return outputs;
  let result: Json = outputs;
  for (const key of new Set(keys)) result = replaceAt(result, [key], (value) => visit(value, `${name} outputs ${key}`));
  return result as JsonObject;
}

/** Of pointers that lie in one another only the outer ones, each once. */
function outermost(pointers: readonly string[]): readonly string[] {
  if (pointers.length < 2) return pointers;
  const all = new Set(pointers);
  return [...all].filter((pointer) => {
    for (let end = pointer.lastIndexOf("/"); end >= 0; end = pointer.lastIndexOf("/", end - 1)) {
      if (all.has(pointer.slice(0, end))) return false;
      if (end === 0) break;
    }
    return true;
  });
}

/** Copies the objects along the path only; a path that leads nowhere changes nothing. */
function replaceAt(root: Json, path: readonly string[], map: (value: Json) => Json, depth = 0): Json {
  const step = path[depth];
  if (step === undefined) return map(root);
  if (root === null || typeof root !== "object" || !Object.hasOwn(root, step)) return root;
  if (Array.isArray(root) && !/^\d+$/.test(step)) return root;
  const member = (root as JsonObject)[step]!;
  const replaced = replaceAt(member, path, map, depth + 1);
  if (replaced === member) return root;
  if (!isJsonObject(root)) return (root as readonly Json[]).with(Number(step), replaced);
  const copy: Record<string, Json> = { ...root };
  Object.defineProperty(copy, step, { value: replaced, enumerable: true, configurable: true, writable: true });
  return copy;
}

function mapAll<T>(items: readonly T[], map: (item: T) => T): readonly T[] {
  let changed = false;
  const mapped = items.map((item) => {
    const result = map(item);
    changed ||= result !== item;
    return result;
  });
  return changed ? mapped : items;
}
