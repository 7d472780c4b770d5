import { getAtPointer, type Json, type JsonObject } from "@wfctl/model";

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
  const remember = (value: Json): void => {
    if (typeof value === "string") {
      if (value.length < minSecretLength) return;
      forms.add(value);
      forms.add(JSON.stringify(value).slice(1, -1));
      forms.add(encodeURIComponent(value));
      forms.add(toBase64(value));
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
      for (const form of forms) if (result.includes(form)) result = result.replaceAll(form, "(sensitive)");
      return result;
    },
    occursIn(value) {
      if (forms.size === 0) return false;
      const text = JSON.stringify(value);
      for (const form of forms) if (text.includes(form)) return true;
      return false;
    },
  };
}

function toBase64(text: string): string {
  const bytes = new TextEncoder().encode(text);
  let binary = "";
  for (const byte of bytes) binary += String.fromCharCode(byte);
  return btoa(binary).replace(/=+$/, "");
}
