import {
  pathToPointer,
  type DeposedObject,
  type DesiredResource,
  type Intent,
  type JsonObject,
  type RecordChange,
  type ResourceRecord,
} from "@wfctl/model";
import type { LiveObject, Provider, TypeTraits } from "../ports/index.ts";
import { fingerprint } from "../plan/fingerprint.ts";
import { isRetained, repeatedInputs } from "../plan/record-live.ts";
import { dependenciesOf, looksSecret, sensitivePointersOf, type ResolvedConfig } from "../plan/resolve.ts";
import type { SecretSet } from "../report/redact.ts";
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
    // What an unsure object may still hold of secrets is known by its record only.
    sensitiveInputs:
      before?.mark === undefined
        ? resolved.sensitive
        : [...new Set([...resolved.sensitive, ...before.sensitiveInputs])],
    dependencies: dependenciesOf(resource),
    fingerprint: fingerprint(run.deps.digester, provider, resource, resolved.config),
    protected: resource.protected,
    retain: isRetained(resource),
    createdByUs: before?.createdByUs ?? false,
    deposed: before?.deposed ?? [],
    createdAt: before?.createdAt ?? now,
    updatedAt: now,
    run: run.id,
  };
}

/** Edges and secrets of a record whose object may still be as it was before: those of both. */
export function unsure(
  after: Pick<ResourceRecord, "dependencies" | "sensitiveInputs">,
  before: Pick<ResourceRecord, "dependencies" | "sensitiveInputs"> | undefined,
): Pick<ResourceRecord, "dependencies" | "sensitiveInputs"> {
  return {
    dependencies: [...new Set([...after.dependencies, ...(before?.dependencies ?? [])])],
    sensitiveInputs: [...new Set([...after.sensitiveInputs, ...(before?.sensitiveInputs ?? [])])],
  };
}

/**
 * The recorded input after an update of which nobody can say whether it took effect: Read shows the rest, but a write-only
 * key counts as it was before, so that the next plan sends it again.
 */
export function unsureInputs(
  after: Pick<ResourceRecord, "inputs">,
  before: Pick<ResourceRecord, "inputs"> | undefined,
  traits: TypeTraits | undefined,
): Pick<ResourceRecord, "inputs"> {
  const writeOnly = traits?.writeOnly ?? [];
  if (after.inputs === undefined || before?.inputs === undefined || writeOnly.length === 0) return {};
  const unread = new Set(writeOnly);
  const inputs = Object.entries(after.inputs).filter(([key]) => !unread.has(key));
  const sent = Object.entries(before.inputs).filter(([key]) => unread.has(key));
  return { inputs: Object.fromEntries([...inputs, ...sent]) };
}

/** The record of an object whose delete did not end: the next plan looks whether it is still there. */
export function withFailedDelete(record: ResourceRecord): ResourceRecord {
  return { ...record, mark: record.mark ?? "dirty", markReason: record.markReason ?? "its delete did not end" };
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
  run: {
    readonly secrets: SecretSet;
    readonly deps: Pick<Run["deps"], "clock" | "providers">;
  },
  after: NonNullable<Intent["after"]>,
  live: LiveObject,
  extra: Partial<ResourceRecord> = {},
): ResourceRecord {
  const traits = run.deps.providers.get(after.provider)?.traits(after.type);
  // What others gave an object no configuration knows as secret: its keys tell.
  const telling = extra.createdByUs === false ? secretLookingOutputs(live.outputs) : [];
  return {
    ...after,
    providerId: live.providerId,
    outputs: live.outputs,
    sensitiveOutputs: sensitiveOutputsOf(run, live, [
      ...(traits?.sensitiveOutputs ?? []),
      ...repeatedInputs(after.sensitiveInputs, live.outputs),
      ...telling,
    ]),
    ...(live.revisitAt === undefined ? {} : { revisitAt: live.revisitAt }),
    readAt: new Date(run.deps.clock.now()).toISOString(),
    ...extra,
  };
}

/**
 * The record of an object that was there before: with its own inputs, where the provider reads them, as what it was given
 * is not known. Clean only once it was compared.
 */
export function recordOfFound(
  run: Pick<Run, "secrets" | "deps">,
  provider: Provider,
  after: NonNullable<Intent["after"]>,
  live: LiveObject,
  sensitiveWanted: readonly string[],
  extra: Partial<ResourceRecord> & Required<Pick<ResourceRecord, "mark">>,
): ResourceRecord {
  const { inputs } = live;
  const sensitive = new Set(sensitiveWanted);
  if (inputs !== undefined) {
    for (const pointer of sensitivePointersOf(inputs, provider.traits(after.type))) sensitive.add(pointer);
    // What is secret here may stand elsewhere in the object, its outputs included.
    run.secrets.add(inputs, [...sensitive]);
    for (const key of Object.keys(inputs))
      if (run.secrets.occursIn(inputs[key] ?? null)) sensitive.add(pathToPointer([key]));
  }
  const { inputs: _wanted, ...found } = completeRecord(run, after, live, { createdByUs: false });
  return {
    ...found,
    ...(inputs === undefined ? {} : { inputs }),
    sensitiveInputs: [...sensitive],
    fingerprint: "",
    ...extra,
  };
}

function secretLookingOutputs(outputs: JsonObject): string[] {
  return Object.keys(outputs).filter((key) => looksSecret(key) && typeof outputs[key] === "string");
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

/** The old object of a create-first replace as it waits for its delete. */
export function deposedOf(record: ResourceRecord, sinceRun: string): DeposedObject {
  return {
    providerId: record.providerId,
    type: record.type,
    provider: record.provider,
    outputs: record.outputs,
    sensitiveOutputs: record.sensitiveOutputs,
    ...(record.sensitiveInputs.length === 0 ? {} : { sensitiveInputs: record.sensitiveInputs }),
    dependencies: record.dependencies,
    sinceRun,
  };
}

/**
 * The record once one of its objects is gone. Where that was the current one and an older one still stands, the older
 * one is current again, to be looked at by the next plan: no object may drop out of the state unseen.
 */
export function withoutObject(record: ResourceRecord, providerId: string): RecordChange {
  const deposed = record.deposed.filter((old) => old.providerId !== providerId);
  if (record.providerId !== providerId) return { put: { ...record, deposed } };
  const older = deposed.at(-1);
  if (older === undefined) return { remove: record.name };
  const { inputs: _inputs, ...rest } = record;
  return {
    put: {
      ...rest,
      type: older.type,
      provider: older.provider,
      providerId: older.providerId,
      outputs: older.outputs,
      sensitiveInputs: older.sensitiveInputs ?? [],
      sensitiveOutputs: older.sensitiveOutputs,
      dependencies: older.dependencies,
      fingerprint: "",
      mark: "dirty",
      markReason: "the object that replaced it is deleted again",
      deposed: deposed.slice(0, -1),
    },
  };
}

/** A record that the next plan compares, and may settle without an action. */
export function isUntold(record: RecordChange): boolean {
  return "put" in record && record.put.mark === "dirty" && record.put.providerId !== "";
}

export function applyChange(records: Map<string, ResourceRecord>, change: RecordChange): void {
  if ("put" in change) records.set(change.put.name, change.put);
  else records.delete(change.remove);
}

export function withoutMark(record: ResourceRecord): ResourceRecord {
  const { mark: _mark, markReason: _reason, ...rest } = record;
  return rest;
}
