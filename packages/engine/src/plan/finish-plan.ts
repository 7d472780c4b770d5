import type { Json, Plan, PlannedProvider, ResourceRecord } from "@wfctl/model";
import type { PlanInput } from "./plan-input.ts";

/** The plan with the providers that it uses and the digest that binds it. */
export function finishPlan(
  input: PlanInput,
  made: Pick<Plan, "actions" | "nodes" | "notes" | "unchanged"> & {
    readonly records: ReadonlyMap<string, ResourceRecord>;
  },
): Plan {
  const used = new Set(
    made.actions.flatMap((action) => [action.provider, ...(action.prior === undefined ? [] : [action.prior.provider])]),
  );
  for (const resource of input.desired) used.add(resource.provider);
  const providers = [...input.providers.values()]
    .filter((provider) => used.has(provider.module))
    .map((provider): PlannedProvider => ({
      module: provider.module,
      name: provider.name,
      version: provider.version,
      ...(provider.identity === undefined ? {} : { identity: provider.identity }),
      schemaDigest: provider.schemaDigest,
    }));
  const reads = [...made.records.values()].flatMap((record) => record.readAt ?? []).toSorted();
  // Where a resource is written decides nothing: an added comment, or another working folder, leaves the digests as they are.
  const configDigest = input.digester.digest(
    input.desired.map(({ source: _source, ...wanted }) => wanted) as unknown as Json,
  );
  const bound = {
    command: input.command,
    stack: { ...input.stack, lineage: input.state.lineage },
    serial: input.state.serial,
    configDigest,
    providers,
    actions: made.actions,
    nodes: made.nodes,
    onFailure: input.onFailure,
    notes: made.notes,
    unchanged: made.unchanged,
    ...(reads.length === 0 ? {} : { readAt: { oldest: reads[0] as string, newest: reads.at(-1) as string } }),
  };
  return {
    id: `plan-${input.random.id()}`,
    createdAt: new Date(input.clock.now()).toISOString(),
    ...bound,
    digest: input.digester.digest({
      ...bound,
      // The wanted resources are in the digest of the configuration already.
      actions: made.actions.map(({ desired: _desired, ...action }) => action),
    } as unknown as Json),
  };
}
