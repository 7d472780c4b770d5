import { crc32 } from "node:zlib";
import { WfctlError } from "@wfctl/model";

/** Binds a body to its key, so that a body in the wrong row is found too. */
export function sumOf(key: string, body: string): number {
  return crc32(body, crc32(key));
}

/** Parses a stored body; throws `STORE_CORRUPT` naming the place. */
export function parseBody<T>(place: string, key: string, body: string, sum: number): T {
  if (sumOf(key, body) === sum) {
    try {
      return JSON.parse(body) as T;
    } catch {
      // The checksum fits what was written: what was written is at fault, and reported all the same.
    }
  }
  throw new WfctlError("STORE_CORRUPT", `Reading the state failed: ${place} is damaged`, {
    hint: "Run: wfctl state doctor",
  });
}
