import {
  createCipheriv,
  createDecipheriv,
  createHmac,
  createSecretKey,
  randomBytes,
  timingSafeEqual,
  type KeyObject,
} from "node:crypto";
import { isJsonObject, WfctlError, type Json, type JsonObject } from "@wfctl/model";
import { deriveSubkey, type StackKey } from "./key.ts";

/** A value as it is stored: `{"$sealed": "v1.<data key id>.<base64url of nonce, ciphertext, tag>"}`. */
export type Sealed = JsonObject & { readonly $sealed: string };

/** Encrypts single values, bound to the place they stand in: a sealed value that was moved does not open. */
export interface Sealer {
  seal(value: Json, context: string): Sealed;
  /** Throws `STORE_CORRUPT` when the text was changed or stands in another place. */
  open(sealed: Sealed, context: string): Json;
}

/** What a store keeps about keys, in clear. */
export interface KeyMeta {
  /** Depends on key and lineage; tells a wrong key at once. */
  readonly check: string;
  /** Newest last: the one that seals. */
  readonly dataKeys: readonly WrappedDataKey[];
}

export interface WrappedDataKey {
  readonly id: string;
  readonly wrapped: string;
}

const nonceBytes = 12;
const tagBytes = 16;

export function isSealed(value: Json | undefined): value is Sealed {
  return isJsonObject(value) && typeof value["$sealed"] === "string" && Object.keys(value).length === 1;
}

/** A fresh data key under the stack key, with the check value. */
export function createKeyMeta(key: StackKey, lineage: string): KeyMeta {
  const id = randomBytes(4).toString("hex");
  const wrapped = encrypt(deriveSubkey(key, lineage, "wrap"), randomBytes(32), wrapContext(lineage, id));
  return { check: checkValue(key, lineage), dataKeys: [{ id, wrapped: wrapped.toString("base64url") }] };
}

/**
 * A fresh data key under the new stack key, and beside it the data keys that are in use, which the new stack key opens
 * as well: for a state that cannot be sealed anew in one piece. Throws `KEY_WRONG`.
 */
export function addDataKey(oldKey: StackKey, newKey: StackKey, lineage: string, meta: KeyMeta): KeyMeta {
  createSealer(oldKey, lineage, meta);
  const oldWrap = deriveSubkey(oldKey, lineage, "wrap");
  const newWrap = deriveSubkey(newKey, lineage, "wrap");
  const kept = meta.dataKeys.map(({ id, wrapped }): WrappedDataKey => {
    const bytes = decrypt(oldWrap, Buffer.from(wrapped, "base64url"), wrapContext(lineage, id)) as Buffer;
    return { id, wrapped: encrypt(newWrap, bytes, wrapContext(lineage, id)).toString("base64url") };
  });
  const fresh = createKeyMeta(newKey, lineage);
  return { check: fresh.check, dataKeys: [...kept, ...fresh.dataKeys] };
}

/** Throws `KEY_WRONG` when the key is not the one the stack was sealed with. */
export function createSealer(key: StackKey, lineage: string, meta: KeyMeta): Sealer {
  const expected = Buffer.from(meta.check);
  const actual = Buffer.from(checkValue(key, lineage));
  if (expected.length !== actual.length || !timingSafeEqual(expected, actual)) {
    throw new WfctlError("KEY_WRONG", `Opening the state failed: key '${key.id}' is not the key of this stack`, {
      hint: "Give the key the stack was made with; if it is lost: wfctl state rekey --drop-secrets",
    });
  }
  const wrapKey = deriveSubkey(key, lineage, "wrap");
  const dataKeys = new Map<string, KeyObject>();
  for (const { id, wrapped } of meta.dataKeys) {
    const bytes = decrypt(wrapKey, Buffer.from(wrapped, "base64url"), wrapContext(lineage, id));
    if (bytes === undefined) throw new WfctlError("STORE_CORRUPT", `Data key '${id}' of the state cannot be unwrapped`);
    dataKeys.set(id, createSecretKey(bytes));
  }
  const current = meta.dataKeys.at(-1);
  if (current === undefined) throw new WfctlError("STORE_CORRUPT", "The state has no data key");
  const currentKey = dataKeys.get(current.id)!;
  return {
    seal(value, context) {
      const bytes = encrypt(currentKey, Buffer.from(JSON.stringify(value)), valueContext(lineage, context));
      return { $sealed: `v1.${current.id}.${bytes.toString("base64url")}` };
    },
    open(sealed, context) {
      const [version, id, text] = sealed.$sealed.split(".");
      const dataKey = version === "v1" && id !== undefined ? dataKeys.get(id) : undefined;
      const bytes =
        dataKey !== undefined && text !== undefined
          ? decrypt(dataKey, Buffer.from(text, "base64url"), valueContext(lineage, context))
          : undefined;
      if (bytes === undefined) {
        throw new WfctlError("STORE_CORRUPT", `Sealed value '${context}' cannot be opened: it was changed or moved`, {
          hint: "Run: wfctl state doctor",
        });
      }
      return JSON.parse(bytes.toString()) as Json;
    },
  };
}

function checkValue(key: StackKey, lineage: string): string {
  const secret = deriveSubkey(key, lineage, "check");
  return createHmac("sha256", secret).update("wfctl").digest("base64url").slice(0, 22);
}

function wrapContext(lineage: string, id: string): string {
  return `data key\n${lineage}\n${id}`;
}

function valueContext(lineage: string, context: string): string {
  return `value\n${lineage}\n${context}`;
}

function encrypt(key: KeyObject, plain: Uint8Array, context: string): Buffer {
  const nonce = randomBytes(nonceBytes);
  const cipher = createCipheriv("aes-256-gcm", key, nonce);
  cipher.setAAD(Buffer.from(context));
  return Buffer.concat([nonce, cipher.update(plain), cipher.final(), cipher.getAuthTag()]);
}

function decrypt(key: KeyObject, sealed: Buffer, context: string): Buffer | undefined {
  if (sealed.length < nonceBytes + tagBytes) return undefined;
  const decipher = createDecipheriv("aes-256-gcm", key, sealed.subarray(0, nonceBytes), { authTagLength: tagBytes });
  decipher.setAAD(Buffer.from(context));
  decipher.setAuthTag(sealed.subarray(-tagBytes));
  try {
    return Buffer.concat([decipher.update(sealed.subarray(nonceBytes, -tagBytes)), decipher.final()]);
  } catch {
    return undefined;
  }
}
