import type { DesiredResource, PlanAction } from "@wfctl/model";
import { resolveConfig, type OutputSource, type ResolvedConfig } from "../plan/resolve.ts";
import type { Provider } from "../ports/index.ts";
import type { Run } from "./run.ts";

/** What the configuration wants with the outputs as they are at this moment of the run. */
export function resolveNow(run: Run, action: PlanAction, desired: DesiredResource, provider: Provider): ResolvedConfig {
  const record = run.records.get(action.name);
  const resolved = resolveConfig(desired, {
    env: run.deps.env,
    source: (name): OutputSource => {
      const found = run.unknown.has(name) ? undefined : run.records.get(name);
      return { record: found, known: found === undefined ? "unknown" : "known" };
    },
    sizing: action.sizing,
    recordedInputs: record?.inputs,
    traits: provider.traits(desired.type),
  });
  if (resolved.sensitive.length > 0) run.secrets.add(resolved.config, resolved.sensitive);
  return resolved;
}
