import { createHash, createHmac, type Hmac, type Hash } from "node:crypto";
import { SignatureV4 } from "@smithy/signature-v4";
import { expect, test } from "vitest";
import { signRequest } from "./sign.ts";

/** What AWS's own signer asks of a hash. */
class Sha256 {
  readonly #hash: Hmac | Hash;
  constructor(secret?: string | Uint8Array) {
    this.#hash = secret === undefined ? createHash("sha256") : createHmac("sha256", secret as Uint8Array);
  }
  update(data: string | Uint8Array): void {
    this.#hash.update(data as Uint8Array);
  }
  async digest(): Promise<Uint8Array> {
    return this.#hash.digest();
  }
  reset(): void {}
}

const credentials = { accessKeyId: "DO00EXAMPLE", secretAccessKey: "not/a+secret", sessionToken: undefined };
const now = new Date("2026-01-02T03:04:05.678Z");

test.each([
  ["a bucket", "GET", "/bucket", {}, ""],
  ["an object with odd characters in its name", "PUT", "/bucket/a%20b/%C3%BC%28x%29.json", {}, '{"a":1}'],
  ["a query", "GET", "/bucket", { "list-type": "2", prefix: "iac-state/a b", "max-keys": "5" }, ""],
  ["a query without a value", "PUT", "/bucket", { versioning: "" }, "<xml/>"],
])("signs %s as AWS's own library does", async (_title, method, path, query: Record<string, string>, body) => {
  const url = new URL(`https://nyc3.digitaloceanspaces.com${path}`);
  for (const [key, value] of Object.entries(query)) url.searchParams.set(key, value);
  const mine = signRequest({ method, url, headers: { "if-none-match": "*" }, body }, credentials, {
    region: "nyc3",
    now,
  });
  const signer = new SignatureV4({
    service: "s3",
    region: "nyc3",
    credentials: { accessKeyId: credentials.accessKeyId, secretAccessKey: credentials.secretAccessKey },
    sha256: Sha256 as never,
    uriEscapePath: false,
    applyChecksum: true,
  });
  const headers = {
    host: url.host,
    "if-none-match": "*",
    "x-amz-content-sha256": createHash("sha256").update(body).digest("hex"),
  };
  const theirs = (await signer.sign(
    { method, protocol: "https:", hostname: url.hostname, path: url.pathname, query, headers, body } as never,
    { signingDate: now },
  )) as unknown as { headers: Record<string, string> };
  expect(mine["authorization"]).toBe(theirs.headers["authorization"]);
});
