import type { DeposedObject, Intent, Json, JournalEvent, JsonObject, RecordChange, ResourceRecord } from "@wfctl/model";
import type { LeaseHolder } from "@wfctl/engine";
import type { StackKey } from "../sealing/key.ts";
import { isSealed, type Sealed, type Sealer } from "../sealing/sealer.ts";
import { mapIntentSecrets, mapProviderConfig, mapRecordSecrets, type VisitSecret } from "../sealing/secrets.ts";

/** A change of the key of a state. */
export interface RekeyRequest {
  readonly holder: LeaseHolder;
  readonly newKey: StackKey;
  /** Undefined where it is lost: every secret is dropped then. */
  readonly oldKey?: StackKey | undefined;
}

/** What becomes of the secrets of a state, wherever it keeps them. */
export interface Rewriting {
  record(record: ResourceRecord): ResourceRecord;
  intent(intent: Intent): Intent;
  /** Undefined removes it. */
  config(provider: string, config: JsonObject): JsonObject | undefined;
}

/**
 * Seals everything anew. Fingerprints are digests under the old key: they are cleared, and the next plan reads each
 * resource once.
 */
export function createResealing(from: Sealer, to: Sealer): Rewriting {
  const known = new Map<string, Sealed>();
  const visit: VisitSecret = (value, context) => {
    if (!isSealed(value)) return value;
    // What was the same text stays the same text: a record and its journal entry are compared by `doctor`.
    const sealed = known.get(value.$sealed) ?? to.seal(from.open(value, context), context);
    known.set(value.$sealed, sealed);
    return sealed;
  };
  return {
    record: (record) => ({ ...mapRecordSecrets(record, visit), fingerprint: "" }),
    intent: (intent) => mapIntentSecrets(intent, visit),
    config: (provider, config) => mapProviderConfig(provider, config, visit),
  };
}

/**
 * Takes every sealed value out. Records keep their provider ids and all that is not secret; inputs that held secrets are
 * dropped whole, secret outputs one by one, fingerprints are cleared, so that the next plan reads and compares. Provider
 * configurations are dropped: the next apply writes them.
 */
export const dropping: Rewriting = {
  record: dropFromRecord,
  intent: dropFromIntent,
  config: () => undefined,
};

export function rewriteEvent(event: JournalEvent, rewriting: Rewriting): JournalEvent {
  const change = (record: RecordChange): RecordChange =>
    "put" in record ? { put: rewriting.record(record.put) } : record;
  switch (event.kind) {
    case "intent": {
      const intent = rewriting.intent(event.intent);
      return { ...event, intent, ...(event.record === undefined ? {} : { record: rewriting.record(event.record) }) };
    }
    case "half":
    case "record":
      return { ...event, record: change(event.record) };
    case "outcome":
    case "intent-closed":
      return event.record === undefined ? event : { ...event, record: change(event.record) };
    default:
      return event;
  }
}

function dropFromRecord(record: ResourceRecord): ResourceRecord {
  const { inputs, ...rest } = record;
  const keepInputs = inputs !== undefined && record.sensitiveInputs.length === 0;
  const outputs = withoutSealed(record.outputs);
  const isWhole =
    Object.keys(outputs).length === Object.keys(record.outputs).length && record.sensitiveInputs.length === 0;
  return {
    ...rest,
    ...(keepInputs ? { inputs } : {}),
    outputs,
    // Time to be looked at: others may refer to what is missing now.
    ...(isWhole ? {} : { revisitAt: new Date(0).toISOString() }),
    deposed: record.deposed.map((object): DeposedObject => ({ ...object, outputs: withoutSealed(object.outputs) })),
    fingerprint: "",
  };
}

function dropFromIntent(intent: Intent): Intent {
  const { inputs, liveInputs, before, after, ...rest } = intent;
  const plain = intent.sensitiveInputs.length === 0;
  const plainBefore = before === undefined || before.sensitiveInputs.length === 0;
  return {
    ...rest,
    ...(inputs !== undefined && plain ? { inputs } : {}),
    ...(liveInputs !== undefined && plain && plainBefore ? { liveInputs } : {}),
    ...(before === undefined ? {} : { before: dropFromRecord(before) }),
    ...(after === undefined ? {} : { after: dropFromAfter(after) }),
  };
}

function dropFromAfter(after: NonNullable<Intent["after"]>): NonNullable<Intent["after"]> {
  const { inputs, ...rest } = after;
  const deposed = after.deposed.map((object): DeposedObject => ({ ...object, outputs: withoutSealed(object.outputs) }));
  const keepInputs = inputs !== undefined && after.sensitiveInputs.length === 0;
  return { ...rest, deposed, fingerprint: "", ...(keepInputs ? { inputs } : {}) };
}

function withoutSealed(outputs: JsonObject): JsonObject {
  return Object.fromEntries(Object.entries(outputs).filter(([, value]: [string, Json]) => !isSealed(value)));
}
