import { type DesiredResource, type Intent, type JsonObject, type ResourceRecord } from "@wfctl/model";
import type { LiveObject, Provider } from "../ports/index.ts";
import { fingerprint } from "../plan/fingerprint.ts";
import { dependenciesOf, type ResolvedConfig } from "../plan/resolve.ts";
import type { Run } from "./run.ts";

/** The record as it will stand if the effect is confirmed: all but what only the answer can tell. */
export function recordToBe(
  run: Run,
  provider: Provider,
  resource: DesiredResource,
  resolved: Pick<ResolvedConfig, "config" | "sensitive">,
  before: ResourceRecord | undefined,
): NonNullable<Intent["after"]> {
  const now = new Date(run.deps.clock.now()).toISOString();
  return {
    name: resource.name,
    type: resource.type,
    provider: resource.provider,
    providerName: provider.name,
    providerVersion: provider.version,
    ...(provider.identity === undefined ? {} : { providerIdentity: provider.identity }),
    ...(resource.size === undefined ? {} : { size: resource.size }),
    inputs: resolved.config,
    sensitiveInputs: resolved.sensitive,
    dependencies: dependenciesOf(resource),
    fingerprint: fingerprint(run.deps.digester, provider, resource, resolved.config),
    protected: resource.protected,
    retain: resource.lifecycle.retain === true || resource.existing,
    createdByUs: before?.createdByUs ?? false,
    deposed: before?.deposed ?? [],
    createdAt: before?.createdAt ?? now,
    updatedAt: now,
    run: run.id,
  };
}

/** What the contract demands of an answer to create and update, as a sentence about what is wrong; undefined where all is well. */
export function replyFault(live: LiveObject, name: string, type: string): string | undefined {
  if (live.providerId === "") return "the reply has no provider id";
  if (live.name !== "" && live.name !== name) return `the reply is about "${live.name}", expected "${name}"`;
  if (live.type !== "" && live.type !== type) return `the reply is of type ${live.type}, expected ${type}`;
  const bad = live.sensitive.find((key) => live.outputs[key] !== undefined && typeof live.outputs[key] !== "string");
  if (bad !== undefined) return `the sensitive output "${bad}" is no string`;
  return undefined;
}

/** The record after a confirmed effect. */
export function completeRecord(
  run: Pick<Run, "secrets" | "deps">,
  after: NonNullable<Intent["after"]>,
  live: LiveObject,
  extra: Partial<ResourceRecord> = {},
): ResourceRecord {
  const traits = run.deps.providers.get(after.provider)?.traits(after.type);
  return {
    ...after,
    providerId: live.providerId,
    outputs: live.outputs,
    sensitiveOutputs: sensitiveOutputsOf(run, live, traits?.sensitiveOutputs ?? []),
    ...(live.revisitAt === undefined ? {} : { revisitAt: live.revisitAt }),
    readAt: new Date(run.deps.clock.now()).toISOString(),
    ...extra,
  };
}

/** Keys that the reply or the type marks, and those whose value repeats a secret that went in. */
function sensitiveOutputsOf(run: Pick<Run, "secrets">, live: LiveObject, declared: readonly string[]): string[] {
  const marked = new Set([...live.sensitive, ...declared].filter((key) => live.outputs[key] !== undefined));
  for (const [key, value] of Object.entries(live.outputs as JsonObject)) {
    if (!marked.has(key) && run.secrets.occursIn(value)) marked.add(key);
  }
  run.secrets.add(
    live.outputs,
    [...marked].map((key) => `/${key.replaceAll("~", "~0").replaceAll("/", "~1")}`),
  );
  return [...marked];
}

export function withoutMark(record: ResourceRecord): ResourceRecord {
  const { mark: _mark, markReason: _reason, ...rest } = record;
  return rest;
}
