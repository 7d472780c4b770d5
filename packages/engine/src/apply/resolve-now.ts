import type { DesiredResource, JsonObject, PlanAction } from "@wfctl/model";
import { resolveConfig, type OutputSource, type ResolvedConfig } from "../plan/resolve.ts";
import type { Provider } from "../ports/index.ts";
import type { Run } from "./run.ts";

/**
 * What the configuration wants with the outputs as they are at this moment of the run. Ignored paths keep what `inputs`
 * have there: by default the recorded ones.
 */
export function resolveNow(
  run: Run,
  action: PlanAction,
  desired: DesiredResource,
  provider: Provider,
  inputs: JsonObject | undefined = run.records.get(action.name)?.inputs,
): ResolvedConfig {
  const resolved = resolveConfig(desired, {
    env: run.deps.env,
    bounded: run.deps.bounded,
    source: (name): OutputSource => {
      const found = run.unknown.has(name) ? undefined : run.records.get(name);
      return { record: found, known: found === undefined ? "unknown" : "known" };
    },
    sizing: action.sizing,
    recordedInputs: inputs,
    traits: provider.traits(desired.type),
  });
  if (resolved.sensitive.length > 0) run.secrets.add(resolved.config, resolved.sensitive);
  return resolved;
}
