import { crc32 } from "node:zlib";
import { WfctlError } from "@wfctl/model";

/** CRC-32 of a row: of its key columns, which `keyOf` joins, and its long text. */
export function sumOf(key: string, body: string): number {
  return crc32(body, crc32(key));
}

export function keyOf(...columns: readonly unknown[]): string {
  return columns.join("\n");
}

/** Parses the text of a row as it came from the database; throws `STORE_CORRUPT` naming the place. */
export function parseBody<T>(place: string, key: string, body: unknown, sum: unknown): T {
  if (typeof body === "string" && sumOf(key, body) === sum) {
    try {
      return JSON.parse(body) as T;
    } catch {
      // The checksum fits what was written: what was written is at fault, and reported all the same.
    }
  }
  throw damaged(place);
}

export function damaged(place: string): WfctlError {
  return new WfctlError("STORE_CORRUPT", `Reading the state failed: ${place} is damaged`, {
    hint: "Run: wfctl state doctor",
  });
}
