export type { Bucket, Condition, StoredObject } from "./bucket.ts";
export { createMemoryBucket } from "./memory-bucket.ts";
export { createS3Bucket } from "./s3-bucket.ts";
export { createS3Client, S3Error, type S3Answer, type S3Client, type S3Options, type S3Request } from "./s3-client.ts";
export { signRequest, type S3Credentials } from "./sign.ts";
export { createBucketStateBackend, type BucketStateBackend, type BucketStateOptions } from "./state-backend.ts";
export { recordFromText, recordToText, type StateRecord } from "./state-record.ts";
export { escapeXml, textsOf } from "./xml.ts";
