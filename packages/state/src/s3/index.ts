export { createS3Bucket } from "./bucket.ts";
export type { S3Options } from "./options.ts";
