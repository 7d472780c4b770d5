import { isJsonObject, type Json, type JsonObject } from "@wfctl/model";
import type { Resource, ResourceState } from "../author/define-resource.ts";
import { ProviderFailure } from "../author/failure.ts";
import type { Log } from "../author/log.ts";
import { appliedConfigKey, isUnder, unreadableMark } from "../schema/compare.ts";
import { sealValue } from "../schema/sealed.ts";
import type { Caller, ReportedObject } from "./call.ts";

type State = ResourceState<JsonObject, JsonObject>;

/** What a handler answered, as it goes to the host. `applied` stands in for live inputs after a create or an update. */
export function reportObject(
  resource: Resource<unknown>,
  state: State,
  options: { name: string; caller: Caller; applied?: JsonObject; log: Log },
): ReportedObject {
  const { caller, log } = options;
  const what = `${resource.type} "${options.name}"`;
  if (typeof state.id !== "string" || state.id === "") {
    throw new ProviderFailure("unknown", `The driver of ${what} answered without an id: a defect of the provider`);
  }
  if (!isJsonObject(state.outputs)) {
    // What was made is not lost: the host looks for it by its id.
    throw new ProviderFailure(
      "unknown",
      `The driver of ${what} answered with a bad result: "outputs" is ${kindOf(state.outputs)} and must be an object: a defect of the provider`,
      { partial: { providerId: state.id, outputs: {} } },
    );
  }
  const checked = resource.outputs.safeParse(state.outputs);
  if (!checked.success) {
    const fields = checked.error.issues.map((issue) => issue.path.join(".")).join(", ");
    log.error(`Outputs of ${what} do not fit their schema (${fields}): a defect of the provider`);
  }
  const sensitive = [...new Set([...((resource.sensitiveOutputs ?? []) as string[]), ...(state.sensitive ?? [])])];
  const outputs: Record<string, Json> = { ...withoutUndefined(state.outputs) };
  for (const key of sensitive) {
    const value = outputs[key];
    // Hosts keep secrets as text only.
    if (value !== undefined && typeof value !== "string") outputs[key] = JSON.stringify(value);
  }
  const inputs = state.inputs === undefined ? undefined : withoutUndefined(state.inputs as JsonObject);
  if (!caller.extended) {
    const shown = options.applied === undefined ? inputs : { ...options.applied, ...inputs };
    const live = options.applied === undefined;
    if (shown !== undefined) outputs[appliedConfigKey] = appliedConfig(resource, shown, live);
  }
  return {
    name: options.name === "" ? (state.name ?? "") : options.name,
    type: resource.type,
    providerId: state.id,
    outputs,
    sensitive: sensitive.filter((key) => key in outputs),
    status: state.status ?? "running",
    tags: state.tags ?? [],
    ...(inputs === undefined ? {} : { inputs }),
    ...(state.owner === undefined ? {} : { owner: state.owner }),
    ...(state.revisitAt === undefined ? {} : { revisitAt: state.revisitAt.toISOString() }),
    ...(state.created === undefined ? {} : { created: state.created }),
  };
}

/** Inputs for hosts that send outputs alone into a diff: secrets as seals, unreadable ones as a mark. */
function appliedConfig(resource: Resource<unknown>, inputs: JsonObject, live: boolean): JsonObject {
  const secret = resource.sensitiveInputs as readonly string[] | undefined;
  const walk = (value: Json, path: string): Json => {
    if (isJsonObject(value)) {
      return Object.fromEntries(
        Object.entries(value).map(([key, member]) => [key, walk(member, path === "" ? key : `${path}.${key}`)]),
      );
    }
    return isUnder(path, secret) && value !== null ? sealValue(value) : value;
  };
  const config = { ...(walk(withoutUndefined(inputs), "") as JsonObject) } as Record<string, Json>;
  if (live) {
    for (const path of (resource.writeOnly ?? []) as readonly string[]) {
      if (!path.includes(".") && config[path] === undefined) config[path] = unreadableMark;
    }
  }
  return config;
}

/** Of what is no object; never the value itself, which may be secret. */
function kindOf(value: unknown): string {
  if (value === null || value === undefined) return "missing";
  return Array.isArray(value) ? "a list" : `a ${typeof value}`;
}

function withoutUndefined(value: JsonObject): JsonObject {
  return JSON.parse(JSON.stringify(value)) as JsonObject;
}
