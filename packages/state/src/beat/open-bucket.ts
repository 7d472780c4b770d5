import type { Bucket, BucketSource } from "../log/bucket.ts";

/** Opens a bucket for beats: each request is sent once, the next beat is the next try. */
export async function openBucket(source: BucketSource): Promise<Bucket> {
  switch (source.kind) {
    case "s3": {
      const { createS3Bucket } = await import("../s3/bucket.ts");
      return createS3Bucket({ ...source.options, times: { ...source.options.times, attempts: 1 } });
    }
    case "azure-blob": {
      const { createAzureBlobBucket } = await import("../azure/bucket.ts");
      return createAzureBlobBucket({ ...source.options, times: { ...source.options.times, attempts: 1 } });
    }
  }
}
