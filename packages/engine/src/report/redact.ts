import {
  getAtPointer,
  pathToPointer,
  type Intent,
  type Json,
  type JsonObject,
  type ResourceRecord,
  type StackState,
} from "@wfctl/model";

/** Shorter values are not searched for: they would hide half of every text. */
const minSecretLength = 8;

export interface SecretSet {
  /** Remembers the text values at the pointers. */
  add(value: Json | undefined, pointers: readonly string[]): void;
  /** The text with each remembered value, plain or escaped, replaced. */
  redact(text: string): string;
  /** True where a remembered value occurs in the JSON of the value. */
  occursIn(value: Json): boolean;
}

/** Values that must not be seen, collected while they pass through the engine. */
export function createSecretSet(): SecretSet {
  const forms = new Set<string>();
  /** Longest first: a secret that holds another one must not leave its rest behind. */
  let ordered: readonly string[] | undefined;
  const remember = (value: Json): void => {
    if (typeof value === "string") {
      if (value.length < minSecretLength || forms.has(value)) return;
      for (const form of formsOf(value)) forms.add(form);
      ordered = undefined;
      return;
    }
    if (value === null || typeof value !== "object") return;
    for (const member of Array.isArray(value) ? value : Object.values(value as JsonObject)) remember(member as Json);
  };
  return {
    add(value, pointers) {
      if (value === undefined) return;
      for (const pointer of pointers) {
        const found = getAtPointer(value, pointer);
        if (found !== undefined) remember(found);
      }
    },
    redact(text) {
      let result = text;
      ordered ??= [...forms].toSorted((a, b) => b.length - a.length);
      for (const form of ordered) if (result.includes(form)) result = result.replaceAll(form, "(sensitive)");
      return result;
    },
    occursIn(value) {
      if (forms.size === 0) return false;
      const text = JSON.stringify(value);
      return [...forms].some((form) => text.includes(form));
    },
  };
}

/** Remembers what a record holds of secrets. */
export function addRecordSecrets(record: ResourceRecord, secrets: SecretSet): void {
  if (record.inputs !== undefined && record.sensitiveInputs.length > 0)
    secrets.add(record.inputs, record.sensitiveInputs);
  const objects = record.deposed.length === 0 ? [record] : [record, ...record.deposed];
  for (const { outputs, sensitiveOutputs } of objects) {
    if (sensitiveOutputs.length > 0)
      secrets.add(
        outputs,
        sensitiveOutputs.map((key) => pathToPointer([key])),
      );
  }
}

/** Remembers all secrets of a state: of its records, and of the intents whose end is not known. */
export function secretsOfState(state: StackState, secrets: SecretSet): void {
  for (const record of state.records.values()) addRecordSecrets(record, secrets);
  const addIntent = (intent: Intent): void => {
    if (intent.inputs !== undefined) secrets.add(intent.inputs, intent.sensitiveInputs);
    if (intent.before !== undefined) addRecordSecrets(intent.before, secrets);
  };
  for (const { intent } of state.unknown.values()) addIntent(intent);
  for (const run of state.openRuns) for (const intent of run.sentIntents) addIntent(intent);
}

/** A secret as it is and as it looks inside JSON, URLs, forms and base64. */
function formsOf(secret: string): string[] {
  const wellFormed = secret.toWellFormed();
  const url = encodeURIComponent(wellFormed);
  const base64 = toBase64(wellFormed);
  const json = JSON.stringify(secret).slice(1, -1);
  return [
    secret,
    json,
    // As Go writes JSON.
    json.replaceAll("&", "\\u0026").replaceAll("<", "\\u003c").replaceAll(">", "\\u003e"),
    url,
    url.replaceAll("%20", "+"),
    base64,
    base64.replaceAll("+", "-").replaceAll("/", "_"),
  ];
}

function toBase64(text: string): string {
  const bytes = new TextEncoder().encode(text);
  let binary = "";
  for (const byte of bytes) binary += String.fromCharCode(byte);
  return btoa(binary).replace(/=+$/, "");
}
