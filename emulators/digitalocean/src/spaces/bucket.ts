import { createHash, randomUUID } from "node:crypto";

export interface ObjectVersion {
  readonly id: string;
  readonly body: Buffer;
  readonly etag: string;
  readonly type: string;
  readonly at: string;
  /** A delete marker stands for an object that is gone. */
  readonly isMarker: boolean;
}

/** One bucket; the newest version of an object comes first. */
export interface BucketState {
  readonly name: string;
  readonly region: string;
  readonly owner: string;
  readonly createdAt: string;
  acl: string;
  versioning: "Enabled" | "Suspended" | undefined;
  /** `cors`, `lifecycle`, `policy` as they were put. */
  readonly documents: Map<string, string>;
  readonly objects: Map<string, ObjectVersion[]>;
}

export function createBucket(given: {
  name: string;
  region: string;
  owner: string;
  acl: string;
  at: string;
}): BucketState {
  return {
    name: given.name,
    region: given.region,
    owner: given.owner,
    createdAt: given.at,
    acl: given.acl,
    versioning: undefined,
    documents: new Map(),
    objects: new Map(),
  };
}

export function currentVersion(bucket: BucketState, key: string): ObjectVersion | undefined {
  const version = bucket.objects.get(key)?.[0];
  return version === undefined || version.isMarker ? undefined : version;
}

export function putObject(
  bucket: BucketState,
  key: string,
  given: { body: Buffer; type: string; at: string },
): ObjectVersion {
  const etag = `"${createHash("md5").update(given.body).digest("hex")}"`;
  const version: ObjectVersion = { id: versionId(bucket), etag, isMarker: false, ...given };
  addVersion(bucket, key, version);
  return version;
}

/** Removes one version, or hides the object behind a marker where the bucket keeps versions. */
export function deleteObject(bucket: BucketState, key: string, version: string | undefined, at: string): void {
  const versions = bucket.objects.get(key);
  if (versions === undefined) return;
  if (version === undefined && bucket.versioning === "Enabled") {
    addVersion(bucket, key, { id: versionId(bucket), body: Buffer.alloc(0), etag: "", type: "", at, isMarker: true });
    return;
  }
  const left = version === undefined ? [] : versions.filter(({ id }) => id !== version);
  if (left.length === 0) bucket.objects.delete(key);
  else bucket.objects.set(key, left);
}

function addVersion(bucket: BucketState, key: string, version: ObjectVersion): void {
  const before = bucket.objects.get(key) ?? [];
  bucket.objects.set(
    key,
    bucket.versioning === undefined ? [version] : [version, ...before.filter(({ id }) => id !== version.id)],
  );
}

function versionId({ versioning }: BucketState): string {
  return versioning === "Enabled" ? randomUUID().replaceAll("-", "") : "null";
}
