import type { ProviderErrorClass } from "@wfctl/model";

/**
 * Texts that name the class of an error inside the message of a status; upstream's plugins and ours use the same.
 * Read in this order: an image that is missing is not the resource that is missing.
 */
export const sentinels = [
  ["image_missing", "iac: image tag or digest not found in registry"],
  ["not_found", "iac: resource not found"],
  ["already_exists", "iac: resource already exists"],
  ["rate_limited", "iac: rate limited"],
  ["transient", "iac: transient error"],
  ["unauthorized", "iac: unauthorized"],
  ["forbidden", "iac: forbidden"],
  ["validation", "iac: validation error"],
  ["unsupported", "iac: provider method unimplemented"],
] as const satisfies readonly (readonly [ProviderErrorClass, string])[];

/** The class that a sentinel in the text names. */
export function classFromSentinel(message: string): ProviderErrorClass | undefined {
  return sentinels.find(([, text]) => message.includes(text))?.[0];
}

/** The text with all sentinels made plain words, so that it names no class. */
export function withoutSentinels(message: string): string {
  let result = message;
  // Removing one may put another together.
  while (classFromSentinel(result) !== undefined) {
    for (const [, text] of sentinels) result = result.replaceAll(text, text.slice("iac: ".length));
  }
  return result;
}

const sniffed = [
  ["not_found", ["not found", "404", "405", "does not exist", "no such"]],
  ["already_exists", ["already exists", "409", "conflict"]],
  ["rate_limited", ["rate limit", "429", "too many requests"]],
  ["transient", ["500", "502", "503", "504", "bad gateway", "gateway timeout", "service unavailable"]],
  ["unauthorized", ["401", "unauthorized", "unable to authenticate"]],
  ["forbidden", ["403", "forbidden"]],
  ["validation", ["400", "422", "validation", "invalid"]],
] as const satisfies readonly (readonly [ProviderErrorClass, readonly string[]])[];

/**
 * What the words of an error message suggest. A guess: good enough to take a failed Read or Diff for "not there" and to
 * word a message, never to conclude that a call changed nothing.
 */
export function sniffClass(message: string): ProviderErrorClass | undefined {
  const text = message.toLowerCase();
  return sniffed.find(([, words]) => words.some((word) => text.includes(word)))?.[0];
}
