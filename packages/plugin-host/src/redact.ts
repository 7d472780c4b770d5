import { isJsonObject, type Json, type JsonObject } from "@wfctl/model";

/** Shorter values are too likely to be part of ordinary words. */
const shortestSecret = 8;
const secretKey = /secret|token|passw|pwd|credential|private|key|auth|signature|cert|dsn|conn/i;
const mask = "(hidden)";

/**
 * Texts in a provider's configuration that may be secret: values below keys that sound like it, from 8 characters on.
 * Erring towards too many costs a word in an error text; one too few costs a credential.
 */
export function findSecrets(config: JsonObject): readonly string[] {
  const found = new Set<string>();
  const walk = (value: Json, secret: boolean): void => {
    if (typeof value === "string") {
      if (secret && value.length >= shortestSecret) found.add(value);
    } else if (Array.isArray(value)) {
      for (const item of value as readonly Json[]) walk(item, secret);
    } else if (isJsonObject(value)) {
      for (const [key, member] of Object.entries(value)) walk(member, secret || secretKey.test(key));
    }
  };
  walk(config, false);
  return [...found];
}

/** A function that hides the given texts, also where they are JSON-, URL- or base64-encoded. */
export function createRedactor(secrets: readonly string[]): (text: string) => string {
  const forms = new Set<string>();
  for (const secret of secrets) {
    if (secret.length < shortestSecret) continue;
    for (const form of encodedForms(secret)) forms.add(form);
  }
  if (forms.size === 0) return (text) => text;
  // Longest first: a secret may be part of another.
  const ordered = [...forms].toSorted((a, b) => b.length - a.length);
  return (text) => ordered.reduce((rest, form) => rest.replaceAll(form, mask), text);
}

function encodedForms(secret: string): string[] {
  const bytes = Buffer.from(secret, "utf8");
  const forms = [
    secret,
    JSON.stringify(secret).slice(1, -1),
    bytes.toString("base64").replace(/=+$/, ""),
    bytes.toString("base64url"),
  ];
  // A text with half of a surrogate pair has no URL form.
  return secret.isWellFormed() ? [...forms, encodeURIComponent(secret)] : forms;
}
