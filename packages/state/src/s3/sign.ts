import { createHash, createHmac, type Hash, type Hmac } from "node:crypto";
import { SignatureV4 } from "@smithy/signature-v4";
import type { BucketRequest } from "../http/send-request.ts";
import type { S3Options } from "./options.ts";

/** Adds the headers that prove who sends the request. */
export type SignRequest = (request: BucketRequest) => Promise<BucketRequest>;

/** AWS Signature Version 4 for S3, over the hash of the body. The credential chain is loaded where no keys are given. */
export function createSigner(options: S3Options, region: string): SignRequest {
  const { accessKeyId, secretAccessKey, sessionToken } = options;
  const credentials =
    accessKeyId !== undefined && secretAccessKey !== undefined
      ? { accessKeyId, secretAccessKey, ...(sessionToken === undefined ? {} : { sessionToken }) }
      : findCredentials();
  const signer = new SignatureV4({
    service: "s3",
    region,
    sha256: Sha256,
    // S3 signs the path as it is sent, not encoded once more.
    uriEscapePath: false,
    applyChecksum: true,
    credentials,
  });
  return async (request) => {
    const { url, method, body } = request;
    const signed = await signer.sign({
      method,
      protocol: url.protocol,
      hostname: url.hostname,
      path: url.pathname,
      query: Object.fromEntries(url.searchParams),
      headers: { ...request.headers, host: url.host },
      ...(body === undefined ? {} : { body }),
    });
    const { host: _, ...headers } = signed.headers;
    return { ...request, headers };
  };
}

function findCredentials() {
  const chain = import("@aws-sdk/credential-provider-node").then(({ defaultProvider }) => defaultProvider());
  chain.catch(() => undefined);
  return async () => (await chain)();
}

/** What the signer wants of a hash, over Node's own. */
class Sha256 {
  readonly #make: () => Hash | Hmac;
  #hash: Hash | Hmac;

  constructor(secret?: string | ArrayBuffer | ArrayBufferView) {
    this.#make = () => (secret === undefined ? createHash("sha256") : createHmac("sha256", toBytes(secret)));
    this.#hash = this.#make();
  }

  update(data: string | ArrayBuffer | ArrayBufferView): void {
    this.#hash.update(toBytes(data));
  }

  digest(): Promise<Uint8Array> {
    return Promise.resolve(this.#hash.digest());
  }

  reset(): void {
    this.#hash = this.#make();
  }
}

function toBytes(data: string | ArrayBuffer | ArrayBufferView): Uint8Array {
  if (typeof data === "string") return Buffer.from(data);
  if (ArrayBuffer.isView(data)) return new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
  return new Uint8Array(data);
}
