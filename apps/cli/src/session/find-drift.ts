import type { LiveObject, Provider } from "@wfctl/engine";
import { jsonEqual, pathToPointer, type Json, type JsonObject, type ResourceRecord } from "@wfctl/model";
import type { WantedResource } from "./wanted-values.ts";

/** One value that is not as it was recorded. Absent: there is none on that side. */
export interface DriftChange {
  /** Dotted path of an input, or `outputs.KEY`. */
  readonly path: string;
  readonly desired?: Json;
  readonly recorded?: Json;
  readonly actual?: Json;
  /** None of the values may be shown. */
  readonly sensitive?: boolean;
}

export interface DriftEntry {
  readonly name: string;
  readonly type: string;
  /** `ghost`: recorded, and gone. `unknown`: it could not be compared. */
  readonly class: "in-sync" | "ghost" | "config" | "unknown";
  readonly changes: readonly DriftChange[];
  readonly why?: string;
}

export interface DriftCall {
  readonly run: string;
  readonly signal: AbortSignal;
}

/** Reads one object and compares it with its record: the provider's Diff for inputs, key by key for outputs. */
export async function findDrift(
  record: ResourceRecord,
  wanted: WantedResource | undefined,
  provider: Provider,
  call: DriftCall,
): Promise<DriftEntry> {
  const { name, type, providerId } = record;
  const entry = { name, type };
  const options = { ...call, timeoutMs: wanted?.resource.timeouts.read ?? 120_000 };
  const live = await provider.read({ name, type, providerId }, options);
  if (live === undefined) return { ...entry, class: "ghost", changes: [] };
  const inputs = record.inputs === undefined ? [] : await compareInputs(record, wanted, live, provider, options);
  const secret = new Set([...record.sensitiveOutputs, ...live.sensitive]);
  const outputs = Object.keys(live.outputs)
    .filter((key) => !jsonEqual(live.outputs[key], record.outputs[key]))
    .map((key): DriftChange => {
      const path = `outputs.${key}`;
      return secret.has(key)
        ? { path, sensitive: true }
        : {
            path,
            ...(record.outputs[key] === undefined ? {} : { recorded: record.outputs[key] }),
            actual: live.outputs[key] as Json,
          };
    });
  const changes = [...inputs, ...outputs];
  return { ...entry, class: changes.length === 0 ? "in-sync" : "config", changes };
}

async function compareInputs(
  record: ResourceRecord,
  wanted: WantedResource | undefined,
  live: LiveObject,
  provider: Provider,
  options: DriftCall & { readonly timeoutMs: number },
): Promise<DriftChange[]> {
  const recorded = record.inputs as JsonObject;
  const spec = {
    name: record.name,
    type: record.type,
    config: recorded,
    ...(record.size === undefined ? {} : { size: record.size }),
    dependsOn: record.dependencies,
  };
  // Without live inputs the recorded ones stand for them: the driver then compares outputs alone.
  const current = live.inputs === undefined ? { ...live, inputs: recorded } : live;
  const { changes } = await provider.diff(spec, current, options);
  const secret = record.sensitiveInputs;
  const sized = changes.length === 0 ? wanted : await wanted?.sized(provider, options);
  return changes.map((change): DriftChange => {
    const pointer = pathToPointer(change.path.split("."));
    const isSecret = secret.some(
      (one) => pointer === one || pointer.startsWith(`${one}/`) || one.startsWith(`${pointer}/`),
    );
    const desired = sized?.at(pointer);
    if (change.sensitive === true || isSecret || desired?.sensitive === true)
      return { path: change.path, sensitive: true };
    return {
      path: change.path,
      ...(desired?.value === undefined ? {} : { desired: desired.value }),
      ...(change.new === undefined ? {} : { recorded: change.new }),
      ...(change.old === undefined ? {} : { actual: change.old }),
    };
  });
}
