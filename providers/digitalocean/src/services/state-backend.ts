import { createBucketStateBackend, createS3Bucket, createS3Client, S3Error } from "@wfctl/object-store";
import { ProviderFailure, z, type CallContext, type JsonObject, type StateBackend } from "@wfctl/plugin-sdk";
import type { DigitalOceanClient } from "../client.ts";
import { defaultSpacesEndpoint } from "../config.ts";

const config = z.object({
  bucket: z.string().min(1),
  region: z.string().default("nyc3"),
  prefix: z.string().default("iac-state/"),
  accessKey: z.string().optional(),
  access_key: z.string().optional(),
  secretKey: z.string().optional(),
  secret_key: z.string().optional(),
  endpoint: z.string().optional(),
});

/** The state store `spaces` of upstream hosts: records in a bucket, locks with an owner and an expiry. */
export function createSpacesState(environment: NodeJS.ProcessEnv): StateBackend {
  return createBucketStateBackend({
    names: ["spaces"],
    open(given) {
      const { client, bucket } = openStore(given, environment);
      return createS3Bucket(client, bucket);
    },
    fail: (reason, message) => new ProviderFailure(reason === "locked" ? "already_exists" : "validation", message),
  });
}

/** Makes the bucket of a state store where it is not there. */
export async function bootstrapSpacesState(given: JsonObject, context: CallContext<DigitalOceanClient>) {
  const { client, bucket, region, endpoint } = openStore(given, process.env);
  try {
    await client.send({ method: "HEAD", bucket, signal: context.signal });
  } catch (error) {
    if (!(error instanceof S3Error) || error.status !== 404) throw refused(error, bucket);
    await client.send({ method: "PUT", bucket, signal: context.signal }).catch((failed: unknown) => {
      throw refused(failed, bucket);
    });
    context.log.info(`Made bucket ${bucket} in ${region} for the state`);
  }
  return { bucket, region, endpoint, envVars: { WFCTL_STATE_BUCKET: bucket, SPACES_BUCKET: bucket } };
}

function openStore(given: Record<string, unknown>, environment: NodeJS.ProcessEnv) {
  const parsed = config.safeParse(given);
  if (!parsed.success) {
    const text = parsed.error.issues.map((issue) => `${issue.path.join(".")}: ${issue.message}`).join("; ");
    throw new ProviderFailure("validation", `State backend "spaces": ${text}`);
  }
  const { bucket, region, accessKey, access_key, secretKey, secret_key, endpoint: address } = parsed.data;
  const accessKeyId =
    accessKey ?? access_key ?? environment["DO_SPACES_ACCESS_KEY"] ?? environment["SPACES_ACCESS_KEY_ID"];
  const secretAccessKey =
    secretKey ?? secret_key ?? environment["DO_SPACES_SECRET_KEY"] ?? environment["SPACES_SECRET_ACCESS_KEY"];
  if (accessKeyId === undefined || secretAccessKey === undefined) {
    throw new ProviderFailure(
      "validation",
      'State backend "spaces" needs accessKey and secretKey, or DO_SPACES_ACCESS_KEY and DO_SPACES_SECRET_KEY',
    );
  }
  const endpoint = (address ?? defaultSpacesEndpoint).replaceAll("{region}", region);
  const client = createS3Client({ endpoint, region, credentials: { accessKeyId, secretAccessKey } });
  return { client, bucket, region, endpoint };
}

function refused(error: unknown, bucket: string): ProviderFailure {
  const text = error instanceof Error ? error.message : String(error);
  const isDenied = error instanceof S3Error && error.status === 403;
  return new ProviderFailure(
    isDenied ? "forbidden" : "unknown",
    `Cannot make bucket "${bucket}" for the state: ${text}`,
    { cause: error },
  );
}
