import { crc32 } from "node:zlib";
import type { LeaseHolder } from "@wfctl/engine";
import { WfctlError, type JournalEvent } from "@wfctl/model";

/** One numbered object of the log: the whole truth is the sequence of these. */
export type Segment = {
  /** Unique: by it a writer whose reply was lost knows its own segment. */
  readonly id: string;
  /** Fencing token of the lease it was written under. */
  readonly fence: number;
} & (
  | { readonly kind: "commits"; readonly commits: readonly (readonly JournalEvent[])[] }
  /** From here on `fence` is the newest: whoever held the lease before loses the race for this number. */
  | { readonly kind: "lease-taken"; readonly holder: LeaseHolder; readonly expiryMs: number }
  | { readonly kind: "lease-released" }
  /** By hand: the next fence, held by nobody. */
  | { readonly kind: "lease-broken" }
);

export const segmentPrefix = "log/";
export const snapshotPrefix = "snapshot/";
export const beatPrefix = "beat/";
export const runPrefix = "runs/";

export function segmentKey(number: number): string {
  return segmentPrefix + pad(number);
}

export function snapshotKey(number: number): string {
  return snapshotPrefix + pad(number);
}

/** A closed run as it was after the segment `last`. */
export function runKey(number: number, last: number): string {
  return `${runPrefix}${pad(number)}-${pad(last)}`;
}

export function beatKey(fence: number): string {
  return beatPrefix + pad(fence);
}

export function numberOf(key: string): number {
  return Number(key.slice(key.lastIndexOf("/") + 1));
}

/** Sixteen digits: keys sort as their numbers do. */
function pad(number: number): string {
  return String(number).padStart(16, "0");
}

/** JSON behind its CRC-32, so that a damaged object is found, not used. */
export function encodeObject(value: unknown): Uint8Array {
  const text = JSON.stringify(value);
  return Buffer.from(`${checksum(text)}\n${text}`);
}

function checksum(text: string): string {
  return crc32(text).toString(16).padStart(8, "0");
}

export function decodeObject<T>(key: string, bytes: Uint8Array): T {
  const text = Buffer.from(bytes).toString();
  const body = text.slice(9);
  // To the letter: a number that is parsed may have had blanks before it.
  if (text[8] === "\n" && text.slice(0, 8) === checksum(body)) return JSON.parse(body) as T;
  throw new WfctlError("STORE_CORRUPT", `Reading the state failed: object '${key}' is damaged`, {
    hint: "Bring the object back from an older version of it",
  });
}
