import { createHash } from "node:crypto";
import type { Json, JsonObject, ResourceHints } from "@wfctl/model";
import { compareBytes, goJson } from "./go-json.ts";

/** `ResourceState.config_hash` and `PlanAction.resolved_config_hash`; an empty config gives the empty text. */
export function configHash(config: JsonObject | undefined): string {
  const pairs: string[] = [];
  for (const key of Object.keys(config ?? {}).toSorted(compareBytes)) {
    const value = config?.[key];
    if (value !== undefined) pairs.push(`{"K":${goJson(key)},"V":${goJson(value)}}`);
  }
  return pairs.length === 0 ? "" : sha256Hex(`[${pairs.join(",")}]`);
}

export interface HashedSpec {
  readonly name: string;
  readonly type: string;
  /** Undefined is hashed as `null`, not as an empty object. */
  readonly config?: JsonObject;
  readonly size?: string;
  readonly hints?: ResourceHints;
  readonly dependsOn: readonly string[];
}

/** `IaCPlan.desired_hash`: over the specs sorted by name, references resolved as far as state allows. */
export function desiredHash(specs: readonly HashedSpec[]): string {
  const sorted = specs.toSorted((a, b) => compareBytes(a.name, b.name));
  return sha256Hex(`[${sorted.map(specText).join(",")}]`);
}

/** Members in the order of upstream's struct, not sorted; empty ones after `config` are left out. */
function specText(spec: HashedSpec): string {
  const members: [string, Json][] = [
    ["name", spec.name],
    ["type", spec.type],
    ["config", spec.config ?? null],
  ];
  const text = members.map(([key, value]) => `"${key}":${goJson(value)}`);
  if (spec.size) text.push(`"size":${goJson(spec.size)}`);
  if (spec.hints !== undefined) text.push(`"hints":${hintsText(spec.hints)}`);
  if (spec.dependsOn.length > 0) text.push(`"depends_on":${goJson(spec.dependsOn)}`);
  return `{${text.join(",")}}`;
}

function hintsText(hints: ResourceHints): string {
  const members: string[] = [];
  for (const key of ["cpu", "memory", "storage"] as const) {
    const value = hints[key];
    if (value) members.push(`"${key}":${goJson(value)}`);
  }
  return `{${members.join(",")}}`;
}

/** A value of `IaCPlan.input_snapshot`: 16 hex digits that tell two values of a variable apart. */
export function inputFingerprint(value: string): string {
  return sha256Hex(value).slice(0, 16);
}

function sha256Hex(text: string): string {
  return createHash("sha256").update(text, "utf8").digest("hex");
}
