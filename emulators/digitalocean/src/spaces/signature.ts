import { createHash, createHmac, timingSafeEqual } from "node:crypto";
import type { IncomingMessage } from "node:http";

export interface Credential {
  readonly accessKey: string;
  readonly region: string;
  readonly date: string;
  readonly signedHeaders: readonly string[];
  readonly signature: string;
}

/** What the Authorization header of AWS Signature Version 4 says, or undefined. */
export function readCredential(authorization: string | undefined): Credential | undefined {
  const found =
    /^AWS4-HMAC-SHA256 Credential=([^/]+)\/(\d{8})\/([^/]+)\/s3\/aws4_request, ?SignedHeaders=([^,]+), ?Signature=([0-9a-f]{64})$/.exec(
      authorization ?? "",
    );
  if (found === null) return undefined;
  const [, accessKey = "", date = "", region = "", signedHeaders = "", signature = ""] = found;
  return { accessKey, date, region, signedHeaders: signedHeaders.split(";"), signature };
}

/** True where the request was signed with the secret, body included. */
export function isSigned(request: IncomingMessage, body: Buffer, credential: Credential, secret: string): boolean {
  const url = new URL(request.url ?? "/", "http://host");
  const declared = String(request.headers["x-amz-content-sha256"] ?? "");
  const bodyHash = createHash("sha256").update(body).digest("hex");
  if (declared !== "UNSIGNED-PAYLOAD" && declared !== bodyHash) return false;
  const query = [...url.searchParams]
    .map(([key, value]) => `${encode(key)}=${encode(value)}`)
    .toSorted()
    .join("&");
  const headers = credential.signedHeaders
    .map(
      (name) =>
        `${name}:${String(request.headers[name] ?? "")
          .trim()
          .replaceAll(/ +/g, " ")}\n`,
    )
    .join("");
  const path = url.pathname
    .split("/")
    .map((step) => encode(decodeURIComponent(step)))
    .join("/");
  const canonical = [request.method, path, query, headers, credential.signedHeaders.join(";"), declared].join("\n");
  const scope = `${credential.date}/${credential.region}/s3/aws4_request`;
  const time = String(request.headers["x-amz-date"] ?? "");
  if (!time.startsWith(credential.date)) return false;
  const toSign = ["AWS4-HMAC-SHA256", time, scope, createHash("sha256").update(canonical).digest("hex")].join("\n");
  const key = ["s3", "aws4_request"].reduce(
    hmac,
    hmac(hmac(Buffer.from(`AWS4${secret}`), credential.date), credential.region),
  );
  return timingSafeEqual(Buffer.from(hmac(key, toSign).toString("hex")), Buffer.from(credential.signature));
}

function hmac(key: Buffer, text: string): Buffer {
  return createHmac("sha256", key).update(text).digest();
}

function encode(text: string): string {
  return encodeURIComponent(text).replaceAll(/[!'()*]/g, (char) => `%${char.charCodeAt(0).toString(16).toUpperCase()}`);
}
