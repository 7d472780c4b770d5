import { createHmac } from "node:crypto";
import type { Digester } from "@wfctl/engine";
import { canonicalJson } from "@wfctl/model";
import { deriveSubkey, type StackKey } from "./key.ts";

/** Digests by HMAC-SHA-256 over the canonical JSON, base64url, 43 characters. They tell nothing without the key. */
export function createDigester(key: StackKey, lineage: string): Digester {
  const secret = deriveSubkey(key, lineage, "digest");
  return {
    digest: (value) => createHmac("sha256", secret).update(canonicalJson(value)).digest("base64url"),
  };
}
