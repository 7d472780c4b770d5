import { WfctlError } from "@wfctl/model";
import type { StackIdentity } from "../identity.ts";
import type { StackKey } from "../sealing/key.ts";
import { createKeyMeta, type KeyMeta } from "../sealing/sealer.ts";
import type { Bucket } from "./bucket.ts";
import { decodeObject, encodeObject } from "./segment.ts";

/** The object `meta`: who the stack is. Written once. */
export interface LogMeta extends StackIdentity {
  readonly format: number;
  readonly createdAt: string;
  readonly keys: KeyMeta;
}

export const logFormatVersion = 1;
const metaKey = "meta";

/** Makes a new, empty stack in the bucket. Throws `STORE_UNAVAILABLE` where one is already. */
export async function createLogStack(bucket: Bucket, identity: StackIdentity, key: StackKey): Promise<void> {
  const { name, environment, lineage } = identity;
  const meta: LogMeta = {
    format: logFormatVersion,
    name,
    environment,
    lineage,
    createdAt: new Date().toISOString(),
    keys: createKeyMeta(key, lineage),
  };
  if ((await bucket.putIfAbsent(metaKey, encodeObject(meta))) === "exists") {
    throw new WfctlError("STORE_UNAVAILABLE", `Making the state in '${bucket.location}' failed: there is one already`);
  }
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
