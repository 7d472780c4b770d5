import {
  WfctlError,
  type DesiredResource,
  type ErrorCode,
  type FieldChange,
  type ImportRequest,
  type JsonObject,
} from "@wfctl/model";
import { ask, type DecideContext, type Decision, type DecisionBase } from "./decision.ts";
import { describeChanges, pointerToDotted } from "./describe-changes.ts";
import { describeProviderFailure } from "./provider-failure.ts";
import { resolveConfig, toSpec } from "./resolve.ts";

interface ImportFacts {
  readonly wanted: ImportRequest;
  readonly sizing: JsonObject | undefined;
  readonly base: DecisionBase;
}

/**
 * What an import entry makes of its resource. Undefined where the object is recorded as this resource already. Throws one
 * error with the place of the entry where it cannot be done.
 */
export async function decideImport(
  resource: DesiredResource,
  context: DecideContext,
  facts: ImportFacts,
): Promise<Decision | undefined> {
  try {
    return await findImport(resource, context, facts);
  } catch (thrown) {
    const error = describeProviderFailure("import", resource, thrown);
    const { source } = facts.wanted;
    const place = source === undefined ? {} : { source };
    const hint = error.hint === undefined ? {} : { hint: error.hint };
    const { code, message: summary } = error;
    throw new WfctlError(code, summary, {
      ...hint,
      diagnostics: [{ severity: "error", code, address: resource.name, summary, ...hint, ...place }],
    });
  }
}

async function findImport(
  resource: DesiredResource,
  context: DecideContext,
  { wanted, sizing, base }: ImportFacts,
): Promise<Decision | undefined> {
  const { provider, input, record } = context;
  const { name, type } = resource;
  const refuse = (code: ErrorCode, why: string, hint: string): WfctlError =>
    new WfctlError(code, `Cannot import "${name}" from "${wanted.id}": ${why}`, { hint });
  if (!provider.features.drivers || provider.traits(type) === undefined) {
    throw refuse("NO_DRIVER", `plugin "${provider.name}" cannot read a ${type}`, "Remove the import entry");
  }
  const id =
    provider.importId === undefined
      ? wanted.id
      : await ask(
          input,
          resource,
          (options) => provider.importId?.(type, wanted.id, options) ?? Promise.resolve(wanted.id),
        );
  if (id !== undefined && record?.providerId === id) return undefined;
  const live =
    id === undefined
      ? undefined
      : await ask(input, resource, (options) => provider.read({ name, type, providerId: id }, options));
  if (record !== undefined) {
    // Read may know the object by a name that the provider's records do not use.
    if (live?.providerId === record.providerId) return undefined;
    throw refuse(
      "CONFIG_INVALID",
      `it is recorded with another id, "${record.providerId}"`,
      `Remove the import entry, or let the recorded object go first: wfctl state rm ${name}`,
    );
  }
  const holder = id === undefined ? undefined : context.holderOf(resource, live?.providerId || id);
  if (holder !== undefined) {
    throw refuse(
      "CONFIG_INVALID",
      `the state records this object as "${holder.name}" already`,
      `Write moved: [{from: ${holder.name}, to: ${name}}] for a new name, or remove the import entry`,
    );
  }
  if (id === undefined || live === undefined) {
    throw refuse(
      "NOT_FOUND",
      `provider module "${resource.provider}" has no ${type} with this id`,
      "Correct the id, or remove the import entry to create the resource",
    );
  }
  const resolved = resolveConfig(resource, {
    env: input.env,
    bounded: input.bounded,
    source: context.source,
    sizing,
    recordedInputs: live.inputs,
    traits: provider.traits(type),
  });
  const reply = await ask(input, resource, (options) =>
    provider.diff(toSpec(resource, resolved.config), live, options),
  );
  const found = describeChanges(reply, resolved, resource.lifecycle.ignoreChanges, context.secrets, undefined, live);
  const waiting = [...resolved.unknown.keys(), ...resolved.mayChange.keys()].map(pointerToDotted);
  const changes = [
    ...found,
    ...waiting
      .filter((path) => !found.some((change) => change.path === path))
      .map((path) => ({ path, forceNew: false, unknown: true })),
  ];
  const forcing = changes.filter((change) => change.forceNew && change.unknown !== true);
  const isPlainReplace = reply.changes.length === 0 && reply.needsReplace;
  if (forcing.length > 0 || isPlainReplace) {
    const paths = forcing.map((change) => change.path).join(", ");
    throw refuse(
      "CONFIG_INVALID",
      isPlainReplace
        ? "the object differs from the configuration in a way that needs another object"
        : `the object has another ${paths}, which cannot be changed in place`,
      `Write what the object has, name the paths in lifecycle.ignore_changes, or record it with "wfctl import ${name} ${wanted.id}" and let the next plan replace it`,
    );
  }
  const providerId = live.providerId === "" ? id : live.providerId;
  const known = changes.length > 0 || reply.needsUpdate ? "may-change" : "known";
  const { owner = "" } = live;
  return {
    ...base,
    kind: "import",
    importId: providerId,
    changes,
    reasons: [
      "the object exists and will be imported",
      ...listed(changes, false, "then updated"),
      ...listed(changes, true, "compared when known"),
      ...(owner === "" || owner === `${input.state.lineage}/${name}`
        ? []
        : [`it carries the mark of ${owner}: no other stack may go on managing it`]),
    ],
    outputs: { record: { providerId, outputs: live.outputs, sensitiveOutputs: live.sensitive }, known },
  };
}

function listed(changes: readonly FieldChange[], unknown: boolean, what: string): string[] {
  const paths = changes.filter((change) => (change.unknown === true) === unknown).map((change) => change.path);
  return paths.length === 0 ? [] : [`${paths.join(", ")} ${paths.length === 1 ? "is" : "are"} ${what}`];
}
