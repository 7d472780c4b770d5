import { WfctlError } from "@wfctl/model";
import { textsOf } from "@wfctl/object-store";
import { ageOf } from "../http/age.ts";
import {
  defaultRequestTimes,
  sendOnce,
  NoCertainAnswer,
  sendRepeatedly,
  type BucketReply,
  type BucketRequest,
} from "../http/send-request.ts";
import type { FolderBucket } from "../log/bucket.ts";
import type { AzureBlobOptions } from "./options.ts";
import { signSharedKey } from "./sign.ts";

/**
 * A folder of a container of Azure blobs as a `Bucket`: blobs are written only if absent by `If-None-Match: *`. Nothing is
 * sent before the first call. Repeats, bounds and errors are those of `createS3Bucket`.
 */
export function createAzureBlobBucket(options: AzureBlobOptions): FolderBucket {
  const { container, prefix = "" } = options;
  const times = { ...defaultRequestTimes, ...options.times };
  const base = `${options.accountUrl.replace(/\/+$/, "")}/${container}`;
  const location = `${base}/${prefix}`;
  const account = { name: options.accountName, key: options.accountKey };

  const make = async (
    method: BucketRequest["method"],
    key: string | undefined,
    more: { query?: Record<string, string>; headers?: Record<string, string>; body?: Uint8Array } = {},
  ): Promise<BucketRequest> => {
    const url = new URL(
      key === undefined ? base : `${base}/${(prefix + key).split("/").map(encodeURIComponent).join("/")}`,
    );
    for (const [name, value] of Object.entries(more.query ?? {})) url.searchParams.set(name, value);
    const { body } = more;
    const request = { method, url, headers: more.headers ?? {}, ...(body === undefined ? {} : { body }) };
    return signSharedKey(request, account, new Date());
  };
  const blob = { "x-ms-blob-type": "BlockBlob", "content-type": "application/octet-stream" };
  const doing = (what: string, key: string): string => `${what} '${key}' of '${location}'`;

  const list = async (query: Record<string, string>, what: string): Promise<string[]> => {
    const keys: string[] = [];
    let marker = "";
    do {
      const whole = { restype: "container", comp: "list", ...query, ...(marker === "" ? {} : { marker }) };
      const reply = await sendRepeatedly(() => make("GET", undefined, { query: whole }), what, times);
      if (reply.status !== 200) throw refused(reply, what, options);
      const xml = Buffer.from(reply.body).toString();
      // Folders have a name as well, in an element of their own.
      const blobs = xml.replaceAll(/<BlobPrefix>.*?<\/BlobPrefix>/gs, "");
      keys.push(...textsOf(blobs, "Name").map((name) => name.slice(prefix.length)));
      marker = textsOf(xml, "NextMarker")[0] ?? "";
    } while (marker !== "");
    return keys;
  };

  return {
    location,
    source: { kind: "azure-blob", options },
    async get(key) {
      const what = doing("Reading", key);
      const reply = await sendRepeatedly(() => make("GET", key), what, times);
      if (reply.status === 200) return reply.body;
      if (isMissing(reply)) return undefined;
      throw refused(reply, what, options);
    },
    async list(start, after) {
      const keys = await list({ prefix: prefix + start }, doing("Listing", start));
      return after === undefined ? keys : keys.filter((key) => key > after);
    },
    listFolder: () => list({ prefix, delimiter: "/" }, doing("Listing", "")),
    async putIfAbsent(key, body) {
      const what = doing("Writing", key);
      const request = await make("PUT", key, { headers: { ...blob, "if-none-match": "*" }, body });
      let reply: BucketReply;
      try {
        reply = await sendOnce(request, times);
      } catch (error) {
        if (error instanceof NoCertainAnswer && isThere(error.cause)) return "exists";
        throw error;
      }
      if (reply.status === 412) return "exists";
      if (reply.status === 201) return "created";
      throw refused(reply, what, options);
    },
    async put(key, body) {
      const what = doing("Writing", key);
      const reply = await sendRepeatedly(() => make("PUT", key, { headers: blob, body }), what, times);
      if (reply.status !== 201) throw refused(reply, what, options);
    },
    async delete(key) {
      const what = doing("Deleting", key);
      const headers = { "x-ms-delete-snapshots": "include" };
      const reply = await sendRepeatedly(() => make("DELETE", key, { headers }), what, times);
      if (reply.status >= 300 && !isMissing(reply)) throw refused(reply, what, options);
    },
    async ageMs(key) {
      const what = doing("Looking at", key);
      const reply = await sendRepeatedly(() => make("HEAD", key), what, times);
      if (isMissing(reply)) return undefined;
      if (reply.status !== 200) throw refused(reply, what, options);
      return ageOf(reply.headers, what);
    },
  };
}

function isMissing({ status, headers }: BucketReply): boolean {
  return status === 404 && headers.get("x-ms-error-code") !== "ContainerNotFound";
}

/** 409 says many things; this one is the answer to `If-None-Match: *`. */
function isThere(cause: unknown): boolean {
  const { status, headers } = (cause ?? {}) as { status?: number; headers?: Headers };
  return status === 409 && headers?.get("x-ms-error-code") === "BlobAlreadyExists";
}

function refused({ status, headers }: BucketReply, what: string, { container }: AzureBlobOptions): WfctlError {
  const code = headers.get("x-ms-error-code");
  const answer = `the server answered ${status}${code === null ? "" : ` (${code})`}`;
  if (status === 404) {
    return new WfctlError("STORE_UNAVAILABLE", `${what} failed: there is no container '${container}'`, {
      hint: "Make the container first, with soft delete or versions; wfctl makes none for its state",
    });
  }
  if (status === 401 || status === 403) {
    return new WfctlError("STORE_UNAVAILABLE", `${what} failed: access was denied, ${answer}`, {
      hint: "Check account_name and account_key; the account must allow the use of its shared key",
    });
  }
  return new WfctlError("STORE_UNAVAILABLE", `${what} failed: ${answer}`);
}
