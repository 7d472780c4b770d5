import { createHash } from "node:crypto";

const maxLength = 100;

/** What state holds in place of a routed secret. */
export const secretRefPrefix = "secret_ref://";

/**
 * The name under which a sensitive output is kept in a secret store; equal to upstream's, so that a store can be shared.
 * At most 100 characters of `A-Za-z0-9_`, not starting with a digit or `GITHUB_`, different for each pair of names.
 */
export function derivedSecretName(resource: string, output: string): string {
  const digest = createHash("sha256").update(`${resource}\0${output}`, "utf8").digest();
  const hash = digest.subarray(0, 16).toString("hex").toUpperCase();
  let first = toNamePart(resource);
  let second = toNamePart(output);
  const prefix = `${first}__${second}`.toUpperCase().startsWith("GITHUB_") ? "WF_" : "";
  const budget = maxLength - prefix.length - "___".length - hash.length;
  if (first.length + second.length > budget) {
    const half = Math.floor(budget / 2);
    // A part that is shorter than its share lends the rest to the other.
    const firstShare = Math.max(half, budget - second.length);
    const secondShare = Math.max(budget - half, budget - first.length);
    first = first.slice(0, firstShare);
    second = second.slice(0, secondShare);
  }
  return `${prefix}${first}__${second}_${hash}`;
}

function toNamePart(text: string): string {
  const safe = text.replace(/[^A-Za-z0-9_]/gu, "_");
  if (safe === "") return "SECRET";
  return /^[0-9]/.test(safe) ? `_${safe}` : safe;
}
