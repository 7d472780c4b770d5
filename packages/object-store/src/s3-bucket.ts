import type { Bucket, Condition } from "./bucket.ts";
import { S3Error, type S3Client } from "./s3-client.ts";
import { textsOf } from "./xml.ts";

/** A bucket of an S3-compatible store that honours conditional writes. */
export function createS3Bucket(client: S3Client, bucket: string): Bucket {
  return {
    async get(key) {
      try {
        const { body, headers } = await client.send({ method: "GET", bucket, key });
        return { body, etag: headers.get("etag") ?? "" };
      } catch (error) {
        if (isMissing(error)) return undefined;
        throw error;
      }
    },
    async put(key, body, condition = {}) {
      try {
        const headers = { "content-type": "application/json", ...headersOf(condition) };
        const answer = await client.send({ method: "PUT", bucket, key, body, headers });
        return answer.headers.get("etag") ?? "";
      } catch (error) {
        if (isUnmet(error)) return undefined;
        throw error;
      }
    },
    async delete(key, { ifMatch } = {}) {
      try {
        await client.send({
          method: "DELETE",
          bucket,
          key,
          headers: headersOf(ifMatch === undefined ? {} : { ifMatch }),
        });
        return true;
      } catch (error) {
        if (isMissing(error)) return true;
        if (isUnmet(error)) return false;
        throw error;
      }
    },
    async *list(prefix) {
      for (let token: string | undefined; ;) {
        const query = { "list-type": "2", prefix, ...(token === undefined ? {} : { "continuation-token": token }) };
        const { body } = await client.send({ method: "GET", bucket, query });
        for (const entry of textsOf(body, "Contents")) yield textsOf(entry, "Key")[0] ?? "";
        token = textsOf(body, "NextContinuationToken")[0];
        if (token === undefined) return;
      }
    },
  };
}

function headersOf({ ifAbsent, ifMatch }: Condition): Record<string, string> {
  return {
    ...(ifAbsent === true ? { "if-none-match": "*" } : {}),
    ...(ifMatch === undefined ? {} : { "if-match": ifMatch }),
  };
}

function isMissing(error: unknown): boolean {
  return error instanceof S3Error && error.status === 404 && error.code !== "NoSuchBucket";
}

/** A condition that did not hold, or a write at the same moment that went first. */
function isUnmet(error: unknown): boolean {
  return (
    error instanceof S3Error &&
    (error.status === 412 || (error.status === 409 && error.code === "ConditionalRequestConflict"))
  );
}
