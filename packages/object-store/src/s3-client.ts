import { createHash } from "node:crypto";
import { encode, signRequest, type S3Credentials } from "./sign.ts";
import { textsOf } from "./xml.ts";

export interface S3Options {
  /** Without the bucket, such as `https://nyc3.digitaloceanspaces.com`. */
  readonly endpoint: string;
  readonly region: string;
  readonly credentials: S3Credentials;
  /** The bucket is in the path instead of the host name. @default true */
  readonly pathStyle?: boolean;
  /** Of one request, in milliseconds. @default 60000 */
  readonly timeoutMs?: number;
}

export interface S3Request {
  readonly method: "GET" | "HEAD" | "PUT" | "POST" | "DELETE";
  readonly bucket: string;
  readonly key?: string;
  readonly query?: Readonly<Record<string, string>>;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
  readonly signal?: AbortSignal;
}

export interface S3Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly body: string;
}

/** An answer of S3 that is an error, by its code, such as `NoSuchBucket`; for HEAD requests the status alone. */
export class S3Error extends Error {
  readonly status: number;
  readonly code: string;

  constructor(status: number, code: string, message: string) {
    super(message);
    this.name = "S3Error";
    this.status = status;
    this.code = code;
  }
}

/** One S3-compatible store, by plain fetch. Sends each request once: retries are the caller's. */
export interface S3Client {
  /** Rejects with `S3Error`, or with what fetch throws when there was no answer. */
  send(request: S3Request): Promise<S3Answer>;
}

export function createS3Client(options: S3Options): S3Client {
  const { endpoint, region, credentials, pathStyle = true, timeoutMs = 60_000 } = options;
  return {
    async send({ method, bucket, key = "", query = {}, headers = {}, body = "", signal }) {
      const url = addressOf(endpoint, bucket, key, pathStyle);
      for (const [name, value] of Object.entries(query)) url.searchParams.set(name, value);
      const checked = body === "" ? {} : { "content-md5": createHash("md5").update(body).digest("base64") };
      const request = { method, url, headers: { ...checked, ...headers }, body };
      const { host: _, ...signed } = signRequest(request, credentials, { region, now: new Date() });
      const timeout = AbortSignal.timeout(timeoutMs);
      const response = await fetch(url, {
        method,
        headers: signed,
        redirect: "manual",
        signal: signal === undefined ? timeout : AbortSignal.any([signal, timeout]),
        ...(body === "" ? {} : { body }),
      });
      const text = await response.text();
      if (response.status >= 300) throw errorOf(response.status, text);
      return { status: response.status, headers: response.headers, body: text };
    },
  };
}

function addressOf(endpoint: string, bucket: string, key: string, pathStyle: boolean): URL {
  const url = new URL(endpoint);
  const path = key.split("/").map(encode).join("/");
  if (pathStyle) url.pathname = bucket === "" ? "/" : key === "" ? `/${bucket}` : `/${bucket}/${path}`;
  else {
    if (bucket !== "") url.hostname = `${bucket}.${url.hostname}`;
    url.pathname = `/${path}`;
  }
  return url;
}

function errorOf(status: number, text: string): S3Error {
  const code = textsOf(text, "Code")[0] ?? String(status);
  const message = textsOf(text, "Message")[0] ?? "";
  return new S3Error(status, code, message === "" || message === code ? code : `${message} (${code})`);
}
