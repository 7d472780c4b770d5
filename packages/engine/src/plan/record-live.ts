import { pathToPointer, type DesiredResource, type Json, type JsonObject, type ResourceRecord } from "@wfctl/model";
import type { LiveObject, TypeTraits } from "../ports/index.ts";
import { dependenciesOf, type ResolvedConfig } from "./resolve.ts";

/** The object as state knows it. */
export function recordToLive(record: ResourceRecord): LiveObject {
  return {
    name: record.name,
    type: record.type,
    providerId: record.providerId,
    outputs: record.outputs,
    sensitive: [],
    status: "",
    ...(record.inputs === undefined ? {} : { inputs: record.inputs }),
  };
}

/**
 * The object with all that is known of its inputs: the recorded ones where Read gives none. Where it gives them, what it
 * cannot give (write-only keys) is as it was sent last. The key `iac_provider`, which only hosts know and no driver reports,
 * tells the driver that a write-only key which is still missing was never sent.
 */
export function withInputs(
  live: LiveObject,
  record: Pick<ResourceRecord, "inputs" | "provider">,
  traits: TypeTraits | undefined,
): LiveObject {
  const { inputs: recorded } = record;
  if (recorded === undefined) return live;
  if (live.inputs === undefined) return { ...live, inputs: recorded };
  const unread = new Set((traits?.writeOnly ?? []).filter((path) => !path.includes(".")));
  if (unread.size === 0) return live;
  const sent = Object.entries(recorded).filter(([key]) => unread.has(key));
  const told: readonly [string, Json] = ["iac_provider", record.provider];
  return { ...live, inputs: Object.fromEntries([told, ...sent, ...Object.entries(live.inputs)]) };
}

/** The record with what a Read just gave. */
export function refreshRecord(record: ResourceRecord, live: LiveObject, readAt: string): ResourceRecord {
  const { revisitAt: _past, ...rest } = record;
  return {
    ...rest,
    providerId: live.providerId === "" ? record.providerId : live.providerId,
    outputs: { ...record.outputs, ...live.outputs },
    sensitiveOutputs: [
      ...new Set([
        ...record.sensitiveOutputs,
        ...live.sensitive,
        ...repeatedInputs(record.sensitiveInputs, live.outputs),
      ]),
    ],
    readAt,
    ...(live.revisitAt === undefined ? {} : { revisitAt: live.revisitAt }),
  };
}

/** Outputs that repeat an input by name are as secret as the input. */
export function repeatedInputs(sensitiveInputs: readonly string[], outputs: JsonObject): string[] {
  if (sensitiveInputs.length === 0) return [];
  const secret = new Set(sensitiveInputs);
  return Object.keys(outputs).filter((key) => secret.has(pathToPointer([key])));
}

/** True where removing the resource from the configuration leaves the object alone. */
export function isRetained(resource: Pick<DesiredResource, "lifecycle" | "existing">): boolean {
  return resource.lifecycle.retain === true || resource.existing;
}

/**
 * The record of an object that is as wanted: today's edges, protection, input and digest. Undefined where all of that
 * is recorded already, unless `always`.
 */
export function settleRecord(
  resource: DesiredResource,
  record: ResourceRecord,
  facts: {
    readonly digest: string;
    readonly resolved: Pick<ResolvedConfig, "config" | "sensitive">;
    readonly always: boolean;
  },
): ResourceRecord | undefined {
  const dependencies = dependenciesOf(resource);
  const retain = isRetained(resource);
  const same =
    !facts.always &&
    record.mark === undefined &&
    record.fingerprint === facts.digest &&
    record.protected === resource.protected &&
    record.retain === retain &&
    record.provider === resource.provider &&
    dependencies.length === record.dependencies.length &&
    dependencies.every((name, index) => record.dependencies[index] === name);
  if (same) return undefined;
  const { mark: _mark, markReason: _reason, ...clean } = record;
  return {
    ...clean,
    dependencies,
    retain,
    protected: resource.protected,
    fingerprint: facts.digest,
    provider: resource.provider,
    ...(record.fingerprint === facts.digest
      ? {}
      : { inputs: facts.resolved.config, sensitiveInputs: facts.resolved.sensitive }),
  };
}

export function isPlaceholder(value: Json | undefined): boolean {
  return typeof value === "string" && value.startsWith("secret_ref://");
}
