import type { EmulatorClock } from "@wfctl/emulator-core";
import type { Account, Thing } from "../account.ts";
import { createBucket, currentVersion, deleteObject, putObject, type BucketState } from "./bucket.ts";
import { textsOf, toXml, type Xml } from "./xml.ts";

export interface SpacesReply {
  readonly status: number;
  readonly body?: string | Buffer;
  readonly headers?: Readonly<Record<string, string>>;
}

export interface SpacesRequest {
  readonly method: string;
  readonly bucket: string;
  readonly key: string;
  readonly query: URLSearchParams;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly body: Buffer;
  readonly region: string;
  readonly account: Account;
  readonly grants: readonly Thing[];
  readonly clock: EmulatorClock;
  findBucket(name: string): BucketState | undefined;
}

const documents = ["cors", "lifecycle", "policy"] as const;
const missing: Readonly<Record<(typeof documents)[number], string>> = {
  cors: "NoSuchCORSConfiguration",
  lifecycle: "NoSuchLifecycleConfiguration",
  policy: "NoSuchBucketPolicy",
};

export function s3Error(status: number, code: string, message = code): SpacesReply {
  return xml(status, "Error", { Code: code, Message: message, RequestId: crypto.randomUUID() });
}

const xml = (status: number, root: string, value: Xml): SpacesReply => ({
  status,
  body: toXml(root, value),
  headers: { "content-type": "application/xml" },
});

/** Answers one signed request. */
export function answerSpaces(request: SpacesRequest): SpacesReply {
  if (request.bucket === "") return listBuckets(request);
  if (!isGranted(request)) return s3Error(403, "AccessDenied");
  const bucket = request.findBucket(request.bucket);
  if (request.method === "PUT" && request.key === "" && request.query.size === 0) return makeBucket(request, bucket);
  if (bucket === undefined) return s3Error(404, "NoSuchBucket");
  if (bucket.owner !== request.account.name) return s3Error(403, "AccessDenied");
  if (bucket.region !== request.region) return s3Error(404, "NoSuchBucket", "The bucket is in another region");
  return request.key === "" ? onBucket(request, bucket) : onObject(request, bucket);
}

function isGranted({ grants, bucket, method }: SpacesRequest): boolean {
  return grants.some(({ bucket: granted, permission }) => {
    if (permission === "fullaccess") return true;
    return granted === bucket && (permission === "readwrite" || method === "GET" || method === "HEAD");
  });
}

function listBuckets({ account }: SpacesRequest): SpacesReply {
  const found = [...account.buckets.values()].map(({ name, createdAt }) => ({ Name: name, CreationDate: createdAt }));
  return xml(200, "ListAllMyBucketsResult", { Owner: { ID: account.uuid }, Buckets: { Bucket: found } });
}

function makeBucket(request: SpacesRequest, existing: BucketState | undefined): SpacesReply {
  const { account, bucket: name, region, clock, headers } = request;
  if (!/^[a-z0-9][a-z0-9-]{1,61}[a-z0-9]$/.test(name)) return s3Error(400, "InvalidBucketName");
  if (existing !== undefined)
    return s3Error(409, existing.owner === account.name ? "BucketAlreadyOwnedByYou" : "BucketAlreadyExists");
  account.buckets.set(name, createBucket({ name, region, owner: account.name, acl: aclOf(headers), at: clock.iso() }));
  return { status: 200, headers: { location: `/${name}` } };
}

function aclOf(headers: SpacesRequest["headers"]): string {
  return String(headers["x-amz-acl"] ?? "private");
}

function onBucket(request: SpacesRequest, bucket: BucketState): SpacesReply {
  const { method, query, body, account } = request;
  const document = documents.find((name) => query.has(name));
  if (document !== undefined) return onDocument(request, bucket, document);
  if (query.has("versioning")) {
    if (method === "GET") return xml(200, "VersioningConfiguration", { Status: bucket.versioning });
    bucket.versioning = textsOf(body.toString(), "Status")[0] === "Enabled" ? "Enabled" : "Suspended";
    return { status: 200 };
  }
  if (query.has("acl")) {
    if (method === "PUT") {
      bucket.acl = aclOf(request.headers);
      return { status: 200 };
    }
    return describeAcl(bucket, account);
  }
  if (query.has("location")) return xml(200, "LocationConstraint", bucket.region);
  if (query.has("delete") && method === "POST") return deleteMany(request, bucket);
  if (query.has("versions")) return listVersions(request, bucket);
  switch (method) {
    case "HEAD":
      return { status: 200, headers: { "x-amz-bucket-region": bucket.region } };
    case "DELETE":
      if (bucket.objects.size > 0) return s3Error(409, "BucketNotEmpty");
      account.buckets.delete(bucket.name);
      return { status: 204 };
    case "GET":
      return listObjects(request, bucket);
    default:
      return s3Error(405, "MethodNotAllowed");
  }
}

function onDocument(
  { method, body }: SpacesRequest,
  bucket: BucketState,
  name: (typeof documents)[number],
): SpacesReply {
  if (method === "PUT") {
    bucket.documents.set(name, body.toString());
    return { status: 200 };
  }
  if (method === "DELETE") {
    bucket.documents.delete(name);
    return { status: 204 };
  }
  const text = bucket.documents.get(name);
  return text === undefined ? s3Error(404, missing[name]) : { status: 200, body: text };
}

function describeAcl(bucket: BucketState, account: Account): SpacesReply {
  const owner = { Grantee: { ID: account.uuid }, Permission: "FULL_CONTROL" };
  const everyone = { Grantee: { URI: "http://acs.amazonaws.com/groups/global/AllUsers" }, Permission: "READ" };
  const grants = bucket.acl === "public-read" ? [owner, everyone] : [owner];
  return xml(200, "AccessControlPolicy", { Owner: { ID: account.uuid }, AccessControlList: { Grant: grants } });
}

function listObjects({ query }: SpacesRequest, bucket: BucketState): SpacesReply {
  const prefix = query.get("prefix") ?? "";
  const size = Number(query.get("max-keys") ?? 1000);
  const after = query.get("continuation-token") ?? query.get("start-after") ?? "";
  const keys = [...bucket.objects.keys()]
    .filter((key) => key.startsWith(prefix) && currentVersion(bucket, key) !== undefined)
    .toSorted();
  const rest = keys.filter((key) => after === "" || key > after);
  const shown = rest.slice(0, size);
  const isTruncated = rest.length > size;
  const contents = shown.map((key): Xml => {
    const version = currentVersion(bucket, key)!;
    return { Key: key, ETag: version.etag, Size: version.body.length, LastModified: version.at };
  });
  return xml(200, "ListBucketResult", {
    Name: bucket.name,
    Prefix: prefix,
    KeyCount: shown.length,
    MaxKeys: size,
    IsTruncated: isTruncated,
    NextContinuationToken: isTruncated ? shown.at(-1) : undefined,
    Contents: contents,
  });
}

function listVersions(_request: SpacesRequest, bucket: BucketState): SpacesReply {
  const all = [...bucket.objects].flatMap(([key, versions]) => versions.map((version) => ({ key, version })));
  const shape = ({ key, version }: (typeof all)[number]): Xml => ({
    Key: key,
    VersionId: version.id,
    LastModified: version.at,
  });
  return xml(200, "ListVersionsResult", {
    Name: bucket.name,
    IsTruncated: false,
    Version: all.filter(({ version }) => !version.isMarker).map(shape),
    DeleteMarker: all.filter(({ version }) => version.isMarker).map(shape),
  });
}

function deleteMany({ body, clock }: SpacesRequest, bucket: BucketState): SpacesReply {
  for (const object of textsOf(body.toString(), "Object")) {
    const [key = ""] = textsOf(object, "Key");
    deleteObject(bucket, key, textsOf(object, "VersionId")[0], clock.iso());
  }
  return xml(200, "DeleteResult", {});
}

function onObject({ method, key, query, headers, body, clock }: SpacesRequest, bucket: BucketState): SpacesReply {
  const current = currentVersion(bucket, key);
  switch (method) {
    case "PUT": {
      if (headers["if-none-match"] === "*" && current !== undefined) return s3Error(412, "PreconditionFailed");
      const match = headers["if-match"];
      if (match !== undefined && match !== current?.etag) return s3Error(412, "PreconditionFailed");
      const made = putObject(bucket, key, {
        body,
        type: String(headers["content-type"] ?? "binary/octet-stream"),
        at: clock.iso(),
      });
      return { status: 200, headers: { etag: made.etag } };
    }
    case "GET":
    case "HEAD":
      if (current === undefined) return s3Error(404, "NoSuchKey");
      return {
        status: 200,
        body: current.body,
        headers: { etag: current.etag, "content-type": current.type, "content-length": String(current.body.length) },
      };
    case "DELETE": {
      const match = headers["if-match"];
      if (match !== undefined && match !== current?.etag) return s3Error(412, "PreconditionFailed");
      deleteObject(bucket, key, query.get("versionId") ?? undefined, clock.iso());
      return { status: 204 };
    }
    default:
      return s3Error(405, "MethodNotAllowed");
  }
}
