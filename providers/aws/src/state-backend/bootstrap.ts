import { ProviderFailure, type JsonObject } from "@wfctl/plugin-sdk";
import { aws, type Context } from "../calls.ts";
import { isAwsError, orAbsent } from "../errors.ts";
import { isSame } from "../json.ts";
import { standingAspects } from "../storage/aspects.ts";
import { toPairs } from "../tags.ts";

/**
 * Makes the bucket of an upstream host's state backend `s3`: versioned, encrypted, closed. Undefined where another
 * backend is configured. Repeating it changes nothing.
 */
export async function bootstrapStateBackend(config: JsonObject, context: Context) {
  if (config["backend"] !== "s3") return undefined;
  const { bucket, region: given, endpoint } = config;
  if (typeof bucket !== "string" || bucket === "") {
    throw new ProviderFailure("validation", "State backend s3: bucket is missing");
  }
  const region = typeof given === "string" && given !== "" ? given : context.client.region;
  const cloud = aws(context, region);
  if ((await orAbsent(cloud.s3.headBucket({ Bucket: bucket }))) === undefined) {
    try {
      await cloud.s3.createBucket({
        Bucket: bucket,
        ObjectOwnership: "BucketOwnerEnforced",
        CreateBucketConfiguration: {
          Tags: toPairs(context.client.config.default_tags),
          ...(region === "us-east-1" ? {} : { LocationConstraint: region as "eu-central-1" }),
        },
      });
    } catch (error) {
      if (!isAwsError(error, "BucketAlreadyOwnedByYou")) throw error;
    }
  }
  const closed = {
    block_public_acls: true,
    ignore_public_acls: true,
    block_public_policy: true,
    restrict_public_buckets: true,
  };
  const { versioning, public_access_block: access } = standingAspects;
  if (!(await versioning.get(cloud, bucket))) await versioning.put(cloud, bucket, true);
  if (!isSame(await access.get(cloud, bucket), closed)) await access.put(cloud, bucket, closed);
  return {
    bucket,
    region,
    endpoint: typeof endpoint === "string" ? endpoint : "",
    envVars: { WFCTL_STATE_BUCKET: bucket, WFCTL_STATE_REGION: region },
  };
}
