import { createHash, createHmac } from "node:crypto";
import type { IncomingMessage } from "node:http";

/**
 * Checks the AWS Signature Version 4 of a request, which moto does not. The answer is AWS's name for what is wrong.
 */
export async function checkSignature(
  request: IncomingMessage,
  body: Buffer,
  secrets: ReadonlyMap<string, string>,
): Promise<string | undefined> {
  const match =
    /^AWS4-HMAC-SHA256 Credential=([^/]+)\/(\d+)\/([^/]+)\/([^/]+)\/aws4_request, ?SignedHeaders=([^,]+), ?Signature=(\w+)$/.exec(
      request.headers.authorization ?? "",
    );
  if (match === null) return "MissingAuthenticationToken";
  const [, key = "", date = "", region = "", service = "", signed = "", signature] = match;
  const secret = secrets.get(key);
  if (secret === undefined) return "InvalidClientTokenId";
  const url = new URL(request.url ?? "/", "http://host");
  const query = [...url.searchParams.entries()]
    .map(([name, value]) => [escapeUri(name), escapeUri(value)] as const)
    .toSorted(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0))
    .map(([name, value]) => `${name}=${value}`)
    .join("&");
  const rawPath = (request.url ?? "/").split("?")[0] ?? "/";
  // Every service but S3 signs the path escaped once more.
  const path = service === "s3" ? rawPath : rawPath.split("/").map(escapeUri).join("/");
  const headers = signed.split(";").map(
    (name) =>
      `${name}:${String(request.headers[name] ?? "")
        .trim()
        .replaceAll(/ +/g, " ")}\n`,
  );
  const payload = request.headers["x-amz-content-sha256"];
  const hash = typeof payload === "string" ? payload : sha256(body);
  if (/^[0-9a-f]{64}$/.test(hash) && hash !== sha256(body)) return "XAmzContentSHA256Mismatch";
  const canonical = [request.method, path, query, headers.join(""), signed, hash].join("\n");
  const scope = `${date}/${region}/${service}/aws4_request`;
  const text = ["AWS4-HMAC-SHA256", request.headers["x-amz-date"], scope, sha256(canonical)].join("\n");
  const signingKey = [date, region, service, "aws4_request"].reduce<Buffer>(hmac, Buffer.from(`AWS4${secret}`));
  return hmac(signingKey, text).toString("hex") === signature ? undefined : "SignatureDoesNotMatch";
}

function hmac(key: Buffer, text: string): Buffer {
  return createHmac("sha256", key).update(text).digest();
}

function sha256(data: Buffer | string): string {
  return createHash("sha256").update(data).digest("hex");
}

function escapeUri(text: string): string {
  return encodeURIComponent(text).replaceAll(/[!'()*]/g, (each) => `%${each.charCodeAt(0).toString(16).toUpperCase()}`);
}
