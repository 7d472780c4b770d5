import { WfctlError, jsonEqual, type DesiredResource, type JsonObject } from "@wfctl/model";
import { adoptionId } from "./adoption.ts";
import { ask, createDecision, type DecideContext, type Decision, type DecisionBase } from "./decision.ts";
import { describeChanges } from "./describe-changes.ts";
import { knownId } from "./other-object.ts";
import { dependenciesOf, toSpec, type ResolvedConfig } from "./resolve.ts";

/** An object that is there already is taken over, as an action that is shown; where there is none it is a create. */
export async function decideAdoption(
  resource: DesiredResource,
  context: DecideContext,
  resolved: ResolvedConfig,
  base: DecisionBase,
  leaving: readonly string[],
): Promise<Decision> {
  const { provider, input, record } = context;
  const ref = {
    name: resource.name,
    type: resource.type,
    providerId: knownId(resource, record, provider) ?? adoptionId(resource, resolved.config),
  };
  const live = await ask(input, resource, (options) => provider.read(ref, options));
  if (live === undefined) return createDecision(base, ["it does not exist", ...leaving], resolved.config);
  const spec = toSpec(resource, resolved.config);
  const reply = await ask(input, resource, (options) => provider.diff(spec, live, options));
  const changes = describeChanges(reply, resolved, resource.lifecycle.ignoreChanges, context.secrets, record, live);
  const found = { providerId: live.providerId, outputs: live.outputs, sensitiveOutputs: live.sensitive };
  return {
    ...base,
    kind: "adopt",
    changes,
    reasons: [`an object of this name exists and is taken over (id ${live.providerId})`, ...leaving],
    outputs: { record: found, known: changes.length > 0 ? "may-change" : "known" },
  };
}

/** `existing: true`: read for its outputs, never written. */
export async function readExisting(
  resource: DesiredResource,
  context: DecideContext,
  base: DecisionBase,
  leaving: readonly string[],
): Promise<Decision> {
  const { provider, input, record } = context;
  const providerId = knownId(resource, record, provider) ?? adoptionId(resource, resource.config as JsonObject);
  const ref = { name: resource.name, type: resource.type, providerId };
  const live = await ask(input, resource, (options) => provider.read(ref, options));
  if (live === undefined) {
    throw new WfctlError(
      "NOT_FOUND",
      `Cannot read "${resource.name}": no ${resource.type} of this name exists, and "existing: true" never creates one`,
      {
        address: resource.name,
        hint: 'Create the object, correct the name or id, or remove "existing: true"',
      },
    );
  }
  const dependencies = dependenciesOf(resource);
  // A record that the configuration would delete, or that has other edges, is written anew.
  const same =
    record !== undefined &&
    leaving.length === 0 &&
    record.retain &&
    record.mark === undefined &&
    record.providerId === live.providerId &&
    jsonEqual(record.outputs, live.outputs) &&
    jsonEqual([...record.dependencies], dependencies);
  return {
    ...base,
    kind: same ? "none" : "read",
    changes: [],
    reasons: same
      ? []
      : [record === undefined ? "it is read for its outputs" : "what is recorded of it changed", ...leaving],
    outputs: {
      record: { providerId: live.providerId, outputs: live.outputs, sensitiveOutputs: live.sensitive },
      known: "known",
    },
  };
}
