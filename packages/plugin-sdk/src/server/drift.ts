import type { Json, JsonObject } from "@wfctl/model";
import { encodeDrift, type DriftReport, type iac, type Ref, type Spec } from "@wfctl/contract";
import type { Caller, ReportedObject } from "../calls/call.ts";
import { hideSecrets } from "./driver-service.ts";
import type { Runtime } from "./runtime.ts";

/**
 * Compares live objects with specs: gone is `ghost`, different is `config`. Without a spec only presence is checked.
 */
export async function detectDrift(
  runtime: Runtime,
  refs: readonly Ref[],
  specs: ReadonlyMap<string, Spec>,
  caller: Caller,
): Promise<iac.DriftResult[]> {
  const results: iac.DriftResult[] = [];
  for (const ref of refs) {
    const object = await runtime.operations.read(ref.type, ref, caller);
    const base = { name: ref.name, type: ref.type };
    if (object === undefined) {
      results.push(encodeDrift({ ...base, drifted: true, class: "ghost", fields: [] }));
      continue;
    }
    const spec = specs.get(ref.name);
    results.push(encodeDrift({ ...base, ...(await compare(runtime, ref, object, spec, caller)) }));
  }
  return results;
}

async function compare(
  runtime: Runtime,
  ref: Ref,
  object: ReportedObject,
  spec: Spec | undefined,
  caller: Caller,
): Promise<Omit<DriftReport, "name" | "type">> {
  if (spec === undefined) return { drifted: false, class: "in-sync", fields: [] };
  const known = { providerId: object.providerId, outputs: object.outputs, inputs: object.inputs };
  const diff = hideSecrets(await runtime.operations.diff(ref.type, spec, known, caller));
  if (diff.changes.length === 0) return { drifted: false, class: "in-sync", fields: [] };
  const side = (pick: "old" | "new"): JsonObject => {
    const values: Record<string, Json> = {};
    for (const change of diff.changes) values[change.path] = change[pick] ?? null;
    return values;
  };
  return {
    drifted: true,
    class: "config",
    expected: side("new"),
    actual: side("old"),
    fields: diff.changes.map(({ path }) => path),
  };
}
