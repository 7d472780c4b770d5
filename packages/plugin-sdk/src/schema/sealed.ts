import { createHash, randomBytes, timingSafeEqual } from "node:crypto";
import { canonicalJson, type Json } from "@wfctl/model";

const prefix = "wfctl-sealed:";

/**
 * A text that tells later whether a value is still the same, without holding the value: salted SHA-256. For secrets
 * that a driver must recognise on an object (in a tag, in a state file) but must not store there in clear.
 * It does not hide a value that can be guessed.
 */
export function sealValue(value: Json, salt: string = randomBytes(12).toString("base64url")): string {
  const digest = createHash("sha256").update(salt).update("\0").update(canonicalJson(value)).digest("base64url");
  return `${prefix}${salt}:${digest}`;
}

export function isSealed(value: unknown): value is string {
  return typeof value === "string" && value.startsWith(prefix);
}

export function matchesSeal(value: Json, seal: string): boolean {
  const salt = seal.slice(prefix.length).split(":")[0] ?? "";
  const [expected, found] = [Buffer.from(sealValue(value, salt)), Buffer.from(seal)];
  return expected.length === found.length && timingSafeEqual(expected, found);
}
