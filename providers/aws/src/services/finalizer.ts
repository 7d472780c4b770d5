import { aws, type Context } from "../calls.ts";
import { addDeferred, type DeferredRule } from "../firewall/sync-rules.ts";

/** Adds what waits, now that all creates and updates are done. One entry for each firewall that still cannot be whole. */
export async function addDeferredRules(
  context: Context,
): Promise<{ resource: string; action: string; error: string }[]> {
  const { deferrals } = context.client;
  const errors: { resource: string; action: string; error: string }[] = [];
  for (const waiting of deferrals.all()) {
    const left: DeferredRule[] = [];
    let failure: string | undefined;
    for (const rule of waiting.rules) {
      try {
        if (await addDeferred(aws(context, waiting.region), waiting, rule)) continue;
        failure = `VPC ${waiting.vpcId} has no firewall "${rule.missing}", which a rule names`;
      } catch (error) {
        context.signal.throwIfAborted();
        failure = (error as Error).message;
      }
      left.push(rule);
    }
    deferrals.set({ ...waiting, rules: left });
    if (failure !== undefined) errors.push({ resource: waiting.name, action: "finalize", error: failure });
  }
  return errors;
}
