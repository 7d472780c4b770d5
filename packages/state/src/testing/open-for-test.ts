import type { StateStore } from "../backend.ts";
import type { BucketSource } from "../log/bucket.ts";
import { openLogStore } from "../log/store.ts";
import { openBucket } from "../beat/open-bucket.ts";
import { openPostgresStore, type PostgresStoreOptions } from "../postgres/store.ts";

/** Opens a store as plain data describes it, without a key. */
export async function openForTest(
  options: { readonly bucket: BucketSource } | Pick<PostgresStoreOptions, "database" | "stack">,
): Promise<StateStore> {
  if ("bucket" in options) return openLogStore({ bucket: await openBucket(options.bucket) });
  return openPostgresStore(options);
}
