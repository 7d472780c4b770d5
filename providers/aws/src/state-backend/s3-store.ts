import { ProviderFailure, z, type JsonObject } from "@wfctl/plugin-sdk";
import { createAwsClient, type Connection } from "../client.ts";
import { awsConfig } from "../config.ts";
import { failureOf, isAwsError } from "../errors.ts";

/** Configuration of upstream's `iac.state` module with backend `s3`. */
const storeConfig = z.object({
  bucket: z.string().min(3),
  region: z.string().optional(),
  prefix: z.string().default("iac-state/"),
  accessKey: z.string().optional(),
  secretKey: z.string().optional(),
  endpoint: z.string().optional(),
});

const callTimeoutMs = 60_000;

/** Objects of one bucket below a prefix, as text. Keys leave the prefix out. */
export interface ObjectStore {
  get(key: string): Promise<{ text: string; etag: string } | undefined>;
  /** `unless`: fails, returning false, where an object is there (`exists`) or is not of this etag. */
  put(key: string, text: string, unless?: "exists" | { etag: string }): Promise<boolean>;
  delete(key: string): Promise<void>;
  list(): AsyncGenerator<string>;
}

export async function openStore(config: JsonObject, version: string): Promise<ObjectStore> {
  const parsed = storeConfig.safeParse(config);
  if (!parsed.success) {
    const text = parsed.error.issues.map(({ path, message }) => `${path.join(".")}: ${message}`).join("; ");
    throw new ProviderFailure("validation", `State backend s3: ${text}`);
  }
  const { bucket, prefix, region, accessKey, secretKey, endpoint } = parsed.data;
  const given = {
    ...(region === undefined || region === "" ? {} : { region }),
    ...(accessKey ? { access_key_id: accessKey, secret_access_key: secretKey ?? "" } : {}),
    ...(endpoint ? { endpoint } : {}),
    s3_use_path_style: true,
  };
  const client = await createAwsClient(awsConfig.parse(given), version);
  const connect = (): Promise<Connection<"s3">> => client.connect("s3", client.region);

  const call = async <Answer>(
    operation: string,
    input: { Bucket: string },
    send: (s3: Connection<"s3">) => Promise<unknown>,
  ) => {
    try {
      return (await send(await connect())) as Answer;
    } catch (error) {
      throw failureOf(error, { service: "s3", operation, input });
    }
  };
  const signal = (): { abortSignal: AbortSignal } => ({ abortSignal: AbortSignal.timeout(callTimeoutMs) });

  return {
    async get(key) {
      const input = { Bucket: bucket, Key: `${prefix}${key}` };
      try {
        const answer = await call<{ Body?: { transformToString(): Promise<string> }; ETag?: string }>(
          "GetObject",
          input,
          (s3) => s3.client.send(new s3.module.GetObjectCommand(input), signal()),
        );
        return { text: (await answer.Body?.transformToString()) ?? "", etag: answer.ETag ?? "" };
      } catch (error) {
        if (isAwsError(error, "NoSuchKey")) return undefined;
        throw error;
      }
    },
    async put(key, text, unless) {
      const input = {
        Bucket: bucket,
        Key: `${prefix}${key}`,
        Body: text,
        ContentType: "application/json",
        ServerSideEncryption: "AES256" as const,
        ...(unless === undefined ? {} : unless === "exists" ? { IfNoneMatch: "*" } : { IfMatch: unless.etag }),
      };
      try {
        await call("PutObject", input, (s3) => s3.client.send(new s3.module.PutObjectCommand(input), signal()));
        return true;
      } catch (error) {
        const isTaken = isAwsError(error, "PreconditionFailed", "ConditionalRequestConflict", "412", "NoSuchKey");
        if (unless !== undefined && isTaken) return false;
        throw error;
      }
    },
    async delete(key) {
      const input = { Bucket: bucket, Key: `${prefix}${key}` };
      await call("DeleteObject", input, (s3) => s3.client.send(new s3.module.DeleteObjectCommand(input), signal()));
    },
    async *list() {
      let token: string | undefined;
      do {
        const input = { Bucket: bucket, Prefix: prefix, ...(token === undefined ? {} : { ContinuationToken: token }) };
        const page: { Contents?: { Key?: string }[]; NextContinuationToken?: string } = await call(
          "ListObjectsV2",
          input,
          (s3) => s3.client.send(new s3.module.ListObjectsV2Command(input), signal()),
        );
        for (const { Key: key = "" } of page.Contents ?? []) yield key.slice(prefix.length);
        token = page.NextContinuationToken;
      } while (token !== undefined);
    },
  };
}
