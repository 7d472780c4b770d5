import { createHmac } from "node:crypto";
import type { BucketRequest } from "../http/send-request.ts";

/** Version of the protocol that requests speak. */
const version = "2021-12-02";

/** Signs with the key of the account ("Shared Key"): the standard headers, all of `x-ms-*`, path and query. */
export function signSharedKey(
  request: BucketRequest,
  account: { readonly name: string; readonly key: string },
  now: Date,
): BucketRequest {
  const headers: Record<string, string> = {
    ...request.headers,
    "x-ms-date": now.toUTCString(),
    "x-ms-version": version,
  };
  const length = request.body?.length ?? 0;
  const standard = ["content-encoding", "content-language"].map((name) => headers[name] ?? "");
  const conditions = ["if-modified-since", "if-match", "if-none-match", "if-unmodified-since", "range"];
  const text = [
    request.method,
    ...standard,
    length === 0 ? "" : String(length),
    headers["content-md5"] ?? "",
    headers["content-type"] ?? "",
    // The date stands in x-ms-date.
    "",
    ...conditions.map((name) => headers[name] ?? ""),
    ...Object.entries(headers)
      .filter(([name]) => name.startsWith("x-ms-"))
      .toSorted(byName)
      .map(([name, value]) => `${name}:${value}`),
    `/${account.name}${request.url.pathname}`,
    ...[...request.url.searchParams].toSorted(byName).map(([name, value]) => `${name}:${value}`),
  ].join("\n");
  const signature = createHmac("sha256", Buffer.from(account.key, "base64")).update(text).digest("base64");
  return { ...request, headers: { ...headers, authorization: `SharedKey ${account.name}:${signature}` } };
}

function byName([a]: readonly [string, string], [b]: readonly [string, string]): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
