import { WfctlError } from "@wfctl/model";
import { textsOf } from "@wfctl/object-store";
import { ageOf } from "../http/age.ts";
import {
  defaultRequestTimes,
  errorCode,
  sendOnce,
  sendRepeatedly,
  type BucketReply,
  type BucketRequest,
} from "../http/send-request.ts";
import type { FolderBucket } from "../log/bucket.ts";
import type { S3Options } from "./options.ts";
import { createSigner } from "./sign.ts";

/**
 * A folder of an S3 bucket as a `Bucket`: objects are written only if absent by `If-None-Match: *`. Nothing is sent before
 * the first call. Requests that may be repeated are, within bounds; `putIfAbsent` is sent once, and throws where its
 * answer leaves open what became of it. Throws `STORE_UNAVAILABLE` where the server refuses, saying what it wants.
 */
export function createS3Bucket(options: S3Options): FolderBucket {
  const { bucket, prefix = "" } = options;
  const times = { ...defaultRequestTimes, ...options.times };
  const location = `s3://${bucket}/${prefix}`;
  const region = regionOf(options);
  const base = `${endpointOf(options, region)}/${bucket}`;
  const sign = createSigner(options, region);

  const make = (
    method: BucketRequest["method"],
    key: string | undefined,
    more: { query?: Record<string, string>; headers?: Record<string, string>; body?: Uint8Array } = {},
  ): Promise<BucketRequest> => {
    const url = new URL(key === undefined ? base : `${base}/${encodePath(prefix + key)}`);
    // Encoded as it is signed: `URLSearchParams` writes a blank as a plus sign.
    url.search = Object.entries(more.query ?? {})
      .map(([name, value]) => `${name}=${encodeURIComponent(value)}`)
      .join("&");
    const { body } = more;
    return sign({ method, url, headers: more.headers ?? {}, ...(body === undefined ? {} : { body }) });
  };
  const doing = (what: string, key: string): string => `${what} '${key}' of '${location}'`;

  const list = async (query: Record<string, string>, what: string): Promise<string[]> => {
    const keys: string[] = [];
    let more: Record<string, string> = {};
    for (;;) {
      const whole = { "list-type": "2", "encoding-type": "url", ...query, ...more };
      const reply = await sendRepeatedly(() => make("GET", undefined, { query: whole }), what, times);
      if (reply.status !== 200) throw refused(reply, what, options);
      const xml = Buffer.from(reply.body).toString();
      keys.push(...textsOf(xml, "Key").map((key) => decodeURIComponent(key.replaceAll("+", " ")).slice(prefix.length)));
      const [next] = textsOf(xml, "NextContinuationToken");
      if (next === undefined || textsOf(xml, "IsTruncated")[0] !== "true") return keys;
      more = { "continuation-token": next };
    }
  };

  return {
    location,
    source: { kind: "s3", options },
    async get(key) {
      const what = doing("Reading", key);
      const reply = await sendRepeatedly(() => make("GET", key), what, times);
      if (reply.status === 200) return reply.body;
      if (reply.status === 404 && errorCode(reply.body) !== "NoSuchBucket") return undefined;
      throw refused(reply, what, options);
    },
    list: (start, after) =>
      list(
        { prefix: prefix + start, ...(after === undefined ? {} : { "start-after": prefix + after }) },
        doing("Listing", start),
      ),
    listFolder: () => list({ prefix, delimiter: "/" }, doing("Listing", "")),
    async putIfAbsent(key, body) {
      const what = doing("Writing", key);
      const reply = await sendOnce(await make("PUT", key, { headers: { "if-none-match": "*" }, body }), times);
      if (reply.status === 412) return "exists";
      if (reply.status === 200 || reply.status === 201) return "created";
      throw refused(reply, what, options);
    },
    async put(key, body) {
      const what = doing("Writing", key);
      const reply = await sendRepeatedly(() => make("PUT", key, { body }), what, times);
      if (reply.status !== 200 && reply.status !== 201) throw refused(reply, what, options);
    },
    async delete(key) {
      const what = doing("Deleting", key);
      const reply = await sendRepeatedly(() => make("DELETE", key), what, times);
      if (reply.status >= 300 && errorCode(reply.body) !== "NoSuchKey") throw refused(reply, what, options);
    },
    async ageMs(key) {
      const what = doing("Looking at", key);
      const reply = await sendRepeatedly(() => make("HEAD", key), what, times);
      if (reply.status === 404) return undefined;
      if (reply.status !== 200) throw refused(reply, what, options);
      return ageOf(reply.headers, what);
    },
  };
}

function regionOf({ region, endpoint, bucket }: S3Options): string {
  if (region !== undefined) return region;
  if (endpoint !== undefined) return "us-east-1";
  throw new WfctlError("CONFIG_INVALID", `Opening the bucket '${bucket}' failed: its region is not given`, {
    hint: "Write region, or set AWS_REGION; a server of your own needs endpoint",
  });
}

function endpointOf({ endpoint }: S3Options, region: string): string {
  if (endpoint === undefined) return `https://s3.${region}.amazonaws.com${region.startsWith("cn-") ? ".cn" : ""}`;
  const url = /^https?:\/\//.test(endpoint) ? endpoint : `https://${endpoint}`;
  return url.replace(/\/+$/, "");
}

/** As S3 signs it: everything but unreserved characters and slashes. */
function encodePath(key: string): string {
  return key
    .split("/")
    .map((part) =>
      encodeURIComponent(part).replaceAll(/[!'()*]/g, (char) => `%${char.charCodeAt(0).toString(16).toUpperCase()}`),
    )
    .join("/");
}

function refused(reply: BucketReply, what: string, { bucket }: S3Options): WfctlError {
  const code = errorCode(reply.body);
  const region = reply.headers.get("x-amz-bucket-region");
  const answer = `the server answered ${reply.status}${code === undefined ? "" : ` (${code})`}`;
  if (reply.status === 301 || reply.status === 307 || reply.status === 400) {
    const where = region === null ? "" : `; the bucket is in the region '${region}'`;
    return new WfctlError("STORE_UNAVAILABLE", `${what} failed: ${answer}${where}`, {
      hint: region === null ? "Check region and endpoint" : `Write region: ${region}`,
    });
  }
  if (code === "NoSuchBucket" || reply.status === 404) {
    return new WfctlError("STORE_UNAVAILABLE", `${what} failed: there is no bucket '${bucket}'`, {
      hint: "Make the bucket first, with versions kept; wfctl makes none for its state",
    });
  }
  if (reply.status === 401 || reply.status === 403) {
    return new WfctlError("STORE_UNAVAILABLE", `${what} failed: access was denied, ${answer}`, {
      hint: "The key must be allowed to list the bucket and to get, put and delete its objects",
    });
  }
  return new WfctlError("STORE_UNAVAILABLE", `${what} failed: ${answer}`);
}
