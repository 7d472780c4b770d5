import { WfctlError } from "@wfctl/model";
import type { StackIdentity } from "../identity.ts";
import type { StackKey } from "../sealing/key.ts";
import { createKeyMeta, type KeyMeta } from "../sealing/sealer.ts";
import type { Bucket } from "./bucket.ts";
import { defaultRetryTimes, repeat, type RetryTimes } from "./retry.ts";
import { decodeObject, encodeObject } from "./segment.ts";

/** The object `meta`: who the stack is. Written once. */
export interface LogMeta extends StackIdentity {
  readonly format: number;
  readonly createdAt: string;
  readonly keys: KeyMeta;
}

export const logFormatVersion = 1;
export const metaKey = "meta";

/** Makes a new, empty stack in the bucket. Throws `STORE_UNAVAILABLE` where one is already. */
export async function createLogStack(
  bucket: Bucket,
  identity: StackIdentity,
  key: StackKey,
  retry: RetryTimes = defaultRetryTimes,
): Promise<void> {
  const { name, environment, lineage } = identity;
  const meta: LogMeta = {
    format: logFormatVersion,
    name,
    environment,
    lineage,
    createdAt: new Date().toISOString(),
    keys: createKeyMeta(key, lineage),
  };
  const bytes = encodeObject(meta);
  const doing = `Making the state in '${bucket.location}'`;
  await repeat(doing, retry, async (attempt) => {
    if ((await bucket.putIfAbsent(metaKey, bytes)) === "created") return;
    const found = attempt === 0 ? undefined : await bucket.get(metaKey);
    // The reply to an earlier try was lost.
    if (found !== undefined && Buffer.compare(found, bytes) === 0) return;
    throw new WfctlError("STORE_UNAVAILABLE", `${doing} failed: there is one already`);
  });
}

/**
 * Proves that the bucket refuses to write an object that is there, by writing `meta` again as it is. A log in a bucket
 * that ignores the condition would take two writers at once for one. Throws `STORE_UNAVAILABLE`.
 */
export async function requireConditionalWrites(bucket: Bucket, retry: RetryTimes): Promise<void> {
  const doing = `Taking the lease in '${bucket.location}'`;
  const answer = await repeat(doing, retry, async () => {
    const bytes = await bucket.get(metaKey);
    return bytes === undefined ? "missing" : await bucket.putIfAbsent(metaKey, bytes);
  });
  if (answer === "exists") return;
  const why = answer === "missing" ? "there is no state" : "the server overwrites what it was asked to keep";
  throw new WfctlError("STORE_UNAVAILABLE", `${doing} failed: ${why}`, {
    hint: "The server must honour writes with If-None-Match: *; see docs/state-stores.md",
  });
}

/** Undefined where there is no stack. */
export async function readLogMeta(bucket: Bucket): Promise<LogMeta | undefined> {
  const bytes = await bucket.get(metaKey);
  if (bytes === undefined) return undefined;
  const meta = decodeObject<LogMeta>(metaKey, bytes);
  if (meta.format === logFormatVersion) return meta;
  throw new WfctlError(
    "STORE_VERSION",
    `Opening the state in '${bucket.location}' failed: its format is version ${meta.format}, this wfctl reads version ${logFormatVersion}`,
    { hint: "Use the wfctl that wrote it, or a newer one" },
  );
}
