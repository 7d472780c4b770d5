import { randomBytes, randomInt } from "node:crypto";

const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";

/** Kinds of generated secrets. `length` counts bytes for hex and base64, characters for alphanumeric. */
export const randomKinds = ["random_hex", "random_base64", "random_alphanumeric"] as const;
export type RandomKind = (typeof randomKinds)[number];

export function generateSecret(kind: RandomKind, length: number): string {
  if (kind === "random_hex") return randomBytes(length).toString("hex");
  if (kind === "random_base64") return randomBytes(length).toString("base64");
  return Array.from({ length }, () => alphabet[randomInt(alphabet.length)]).join("");
}
