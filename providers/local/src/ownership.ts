import { createHash } from "node:crypto";

/** Short digest for names of files: of a client token, of an ownership mark. */
export function shortHash(text: string, length = 8): string {
  return createHash("sha256").update(text).digest("hex").slice(0, length);
}

/**
 * What tells two resources of one name apart, such as those of two environments: the ownership mark, which stays the
 * same when the resource is replaced, else the client token.
 */
export function distinction(owner: string | undefined, token: string): string {
  return shortHash(owner ?? token);
}
