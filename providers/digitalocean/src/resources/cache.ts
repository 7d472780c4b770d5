import type { z } from "@wfctl/plugin-sdk";
import { defineCluster } from "../database/define.ts";
import { cacheInput, type DatabaseInput } from "../database/schema.ts";

/** A managed caching cluster, which is Valkey. */
export const cache = defineCluster({
  type: "infra.cache",
  description: "Managed caching cluster (Valkey)",
  title: "caching cluster",
  input: cacheInput as unknown as z.ZodType<DatabaseInput>,
  fits: ({ engine }) => engine === "valkey" || (engine as string) === "redis",
});
