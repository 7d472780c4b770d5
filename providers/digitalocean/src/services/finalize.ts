import { ProviderFailure } from "@wfctl/plugin-sdk";
import type { Context } from "../calls.ts";
import { listClusters, listRules, tagsOf, type Cluster } from "../database/clusters.ts";
import { markPending, pendingSources, pendingTag, resolveSources } from "../database/sources.ts";
import { writeRules } from "../database/sync.ts";

export interface FinalizeError {
  readonly resource: string;
  readonly action: string;
  readonly error: string;
}

/**
 * Lets in what databases were told to trust before it was there. What is owed stands on the clusters themselves, so this
 * needs no memory: it can run after a kill, twice, or without anything to do. One entry per cluster that is not finished.
 */
export async function finalizeTrustedSources(context: Context): Promise<FinalizeError[]> {
  const errors: FinalizeError[] = [];
  for (const cluster of await listClusters(context, pendingTag)) {
    try {
      const missing = await settle(context, cluster);
      if (missing.length > 0) {
        const names = missing.map(({ type, value }) => `${type} "${value}"`).join(", ");
        errors.push({
          resource: cluster.name,
          action: "trusted_sources",
          error: `Cannot let in what does not exist: ${names}`,
        });
      }
    } catch (error) {
      if (context.signal.aborted) throw error;
      const text = error instanceof ProviderFailure ? error.message : String(error);
      errors.push({ resource: cluster.name, action: "trusted_sources", error: text });
    }
  }
  return errors;
}

async function settle(context: Context, cluster: Cluster): Promise<ReturnType<typeof pendingSources>> {
  const { rules, pending } = await resolveSources(context, pendingSources(tagsOf(cluster)));
  const live = await listRules(context, cluster.id);
  await writeRules(context, cluster.id, [
    ...live,
    ...rules.filter((rule) => !live.some((each) => each.type === rule.type && each.value === rule.value)),
  ]);
  await markPending(context, cluster.id, tagsOf(cluster), pending);
  return pending;
}
