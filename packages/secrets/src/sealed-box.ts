import { createPublicKey, diffieHellman, generateKeyPairSync } from "node:crypto";
import { hsalsa, xsalsa20poly1305 } from "@noble/ciphers/salsa.js";
import { blake2b } from "@noble/hashes/blake2.js";

/** Prefix of an X25519 public key in SPKI form. */
const spkiPrefix = Buffer.from("302a300506032b656e032100", "hex");

/** libsodium's sealed box over a text, for a public key in base64: what GitHub takes for a secret. */
export function sealForGithub(text: string, publicKey: string): string {
  const receiver = new Uint8Array(Buffer.from(publicKey, "base64"));
  const pair = generateKeyPairSync("x25519");
  const sender = new Uint8Array(pair.publicKey.export({ type: "spki", format: "der" }).subarray(spkiPrefix.length));
  const receiverKey = createPublicKey({
    key: Buffer.concat([spkiPrefix, receiver]),
    type: "spki",
    format: "der",
  });
  const shared = new Uint8Array(diffieHellman({ privateKey: pair.privateKey, publicKey: receiverKey }));
  const nonce = blake2b(new Uint8Array([...sender, ...receiver]), { dkLen: 24 });
  const sealed = xsalsa20poly1305(boxKey(shared), nonce).encrypt(new TextEncoder().encode(text));
  return Buffer.concat([sender, sealed]).toString("base64");
}

/** The key of `crypto_box`: HSalsa20 of the shared secret. */
export function boxKey(shared: Uint8Array): Uint8Array {
  const words = (bytes: Uint8Array): Uint32Array =>
    new Uint32Array(bytes.buffer, bytes.byteOffset, bytes.byteLength / 4);
  const sigma = words(new TextEncoder().encode("expand 32-byte k").slice());
  const out = new Uint32Array(8);
  hsalsa(sigma, words(shared.slice()), new Uint32Array(4), out);
  return new Uint8Array(out.buffer);
}
