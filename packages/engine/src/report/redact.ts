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
  const values = new Set<string>();
  const index = createFormIndex();
  const remember = (value: Json): void => {
    if (typeof value === "string") {
      if (value.length < minSecretLength || values.has(value)) return;
      values.add(value);
      for (const form of formsOf(value)) index.add(form);
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
      let result = "";
      let kept = 0;
      let start = index.next(text, 0);
      while (start !== undefined) {
        // Secrets that overlap are hidden as one: nothing of either may stay.
        let end = start.end;
        let after = index.next(text, start.at + 1);
        while (after !== undefined && after.at < end) {
          end = Math.max(end, after.end);
          after = index.next(text, after.at + 1);
        }
        result += `${text.slice(kept, start.at)}(sensitive)`;
        kept = end;
        start = after;
      }
      return kept === 0 ? text : result + text.slice(kept);
    },
    occursIn(value) {
      if (values.size === 0) return false;
      return index.next(JSON.stringify(value), 0) !== undefined;
    },
  };
}

/** Finds any of many texts in one pass: what a search costs does not grow with how many there are. */
function createFormIndex() {
  /** By their first characters, as many as the shortest has, and then by length: many may begin alike. */
  const byHead = new Map<string, Map<number, Set<string>>>();
  /** First two characters of each: most places of a text are passed over by these alone. */
  const pairs = new Set<number>();
  const pairAt = (text: string, at: number): number => (text.charCodeAt(at) << 16) | text.charCodeAt(at + 1);
  const longestAt = (text: string, at: number): number => {
    let longest = 0;
    for (const [length, forms] of byHead.get(text.slice(at, at + minSecretLength)) ?? [])
      if (length > longest && forms.has(text.slice(at, at + length))) longest = length;
    return longest;
  };
  return {
    add(form: string): void {
      pairs.add(pairAt(form, 0));
      const head = form.slice(0, minSecretLength);
      const byLength = byHead.get(head) ?? new Map<number, Set<string>>();
      const forms = byLength.get(form.length) ?? new Set();
      byHead.set(head, byLength.set(form.length, forms.add(form)));
    },
    /** The first place from there on where one stands, and the end of the longest that stands there. */
    next(text: string, from: number): { readonly at: number; readonly end: number } | undefined {
      if (pairs.size === 0) return undefined;
      for (let at = from; at <= text.length - minSecretLength; at += 1) {
        if (!pairs.has(pairAt(text, at))) continue;
        const length = longestAt(text, at);
        if (length > 0) return { at, end: at + length };
      }
      return undefined;
    },
  };
}

/** Remembers what a record holds of secrets. */
function addRecordSecrets(record: ResourceRecord, secrets: SecretSet): void {
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
