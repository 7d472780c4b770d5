import { stopIfAsked } from "../waiting.ts";
import type { Aws } from "../calls.ts";
import { each } from "../paging.ts";
import { ProviderFailure } from "@wfctl/plugin-sdk";

/** Deletes everything in a bucket: versions, delete markers and unfinished uploads. */
export async function emptyBucket(aws: Aws, bucket: string): Promise<void> {
  const { s3, context } = aws;
  let deleted = 0;
  for (;;) {
    stopIfAsked(context, `bucket ${bucket} to be empty`);
    // What was listed is gone after the call, so that the first page is always the next one.
    const page = await s3.listObjectVersions({ Bucket: bucket, MaxKeys: 1000 });
    const objects = [...(page.Versions ?? []), ...(page.DeleteMarkers ?? [])].map(({ Key, VersionId }) => ({
      Key: Key ?? "",
      ...(VersionId === undefined ? {} : { VersionId }),
    }));
    if (objects.length === 0) break;
    const { Errors: errors = [] } = await s3.deleteObjects({
      Bucket: bucket,
      Delete: { Objects: objects, Quiet: true },
    });
    const [first] = errors;
    if (first !== undefined) {
      throw new ProviderFailure(
        "unknown",
        `Cannot delete object "${first.Key}" of bucket "${bucket}": ${first.Message} (${first.Code})`,
      );
    }
    deleted += objects.length;
    context.progress(`Deleted ${deleted} objects of bucket ${bucket}`);
  }
  for await (const upload of each(async (marker) => {
    const page = await s3.listMultipartUploads({
      Bucket: bucket,
      ...(marker === undefined ? {} : { KeyMarker: marker }),
    });
    return [page.Uploads, page.IsTruncated === true ? page.NextKeyMarker : undefined] as const;
  })) {
    await s3.abortMultipartUpload({ Bucket: bucket, Key: upload.Key ?? "", UploadId: upload.UploadId ?? "" });
  }
}
