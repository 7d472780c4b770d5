export { createAzureBlobBucket } from "./bucket.ts";
export type { AzureBlobOptions } from "./options.ts";
