import type { AzureBlobOptions } from "../azure/options.ts";
import type { S3Options } from "../s3/options.ts";

/**
 * The little that a log needs of an object store. Each call either answers, or throws: then nobody knows whether it
 * took effect. Reads see every write that was answered before (as S3, GCS and Azure blobs promise).
 */
export interface Bucket {
  /** For people. */
  readonly location: string;
  get(key: string): Promise<Uint8Array | undefined>;
  /** All keys with the prefix that are greater than `after`, by code unit. */
  list(prefix: string, after?: string): Promise<readonly string[]>;
  /** Of several callers at once exactly one gets `created`. */
  putIfAbsent(key: string, bytes: Uint8Array): Promise<"created" | "exists">;
  put(key: string, bytes: Uint8Array): Promise<void>;
  /** A missing key is fine. */
  delete(key: string): Promise<void>;
  /** Milliseconds since the last put, by the bucket's own clock; undefined where there is no such key. */
  ageMs(key: string): Promise<number | undefined>;
  /** How a thread opens the same bucket, to beat there whatever the calling thread does. Absent: beats run where the store is. */
  readonly source?: BucketSource;
}

/** Plain data. */
export type BucketSource =
  | { readonly kind: "s3"; readonly options: S3Options }
  | { readonly kind: "azure-blob"; readonly options: AzureBlobOptions };

/** A bucket that is a folder of a larger one. */
export interface FolderBucket extends Bucket {
  readonly source: BucketSource;
  /** Keys that lie in the folder itself, not in folders inside it. */
  listFolder(): Promise<readonly string[]>;
}
