import { createHmac, createSecretKey, hkdfSync, randomBytes, scrypt, type KeyObject } from "node:crypto";
import { WfctlError } from "@wfctl/model";

/**
 * The one key of a stack. It wraps the data keys that seal values, and keys all digests.
 * The bytes stay inside `secret`: printing or serialising the object shows nothing of them.
 */
export interface StackKey {
  /** Tells keys apart in messages; says nothing about the key. */
  readonly id: string;
  readonly secret: KeyObject;
}

const keyBytes = 32;

export function createKey(bytes: Uint8Array): StackKey {
  if (bytes.length !== keyBytes) {
    throw new WfctlError("KEY_WRONG", `Reading the key failed: it has ${bytes.length} bytes, needed are ${keyBytes}`);
  }
  const secret = createSecretKey(bytes);
  const id = createHmac("sha256", secret).update("wfctl key id").digest("hex").slice(0, 8);
  return { id, secret };
}

export function generateKey(): StackKey {
  return createKey(randomBytes(keyBytes));
}

/** Reads 32 bytes written as hex, base64 or base64url, white space around them ignored. `from` names the source in errors. */
export function parseKey(text: string, from: string): StackKey {
  const trimmed = text.trim();
  const bytes = /^[0-9a-f]{64}$/i.test(trimmed)
    ? Buffer.from(trimmed, "hex")
    : /^[\w+/-]{43}=?$/.test(trimmed)
      ? Buffer.from(trimmed, "base64")
      : undefined;
  if (bytes?.length !== keyBytes) {
    throw new WfctlError("KEY_WRONG", `Reading the key from ${from} failed: it is not 32 bytes in base64 or hex`, {
      hint: "Make one with: openssl rand -base64 32",
    });
  }
  return createKey(bytes);
}

/** The text that `parseKey` reads. For the key file only: never for people. */
export function formatKey(key: StackKey): string {
  return key.secret.export().toString("base64");
}

/**
 * The key of a passphrase: scrypt with N = 2^17, r = 8, p = 1 (128 MiB, some tenths of a second).
 * The salt is the stack's random lineage, so equal passphrases of two stacks give two keys.
 */
export function deriveKey(passphrase: string, lineage: string): Promise<StackKey> {
  const cost = { N: 2 ** 17, r: 8, p: 1, maxmem: 256 * 2 ** 20 };
  return new Promise((resolve, reject) => {
    scrypt(passphrase.normalize("NFC"), `wfctl passphrase v1\n${lineage}`, keyBytes, cost, (error, bytes) => {
      if (error === null) resolve(createKey(bytes));
      else reject(error);
    });
  });
}

/** A key of its own for each purpose and stack. */
export function deriveSubkey(key: StackKey, lineage: string, purpose: "wrap" | "digest" | "check"): KeyObject {
  return createSecretKey(Buffer.from(hkdfSync("sha256", key.secret, lineage, `wfctl ${purpose} v1`, keyBytes)));
}
