import { boundExpressions, type StackConfig } from "@wfctl/config";
import { evaluate, outputOf } from "@wfctl/engine";
import { getAtPointer, type Json, type JsonObject, type StackState } from "@wfctl/model";
import type { Context } from "../context.ts";
import { masked } from "../views/mask.ts";

/** What the outputs of a stack are worth now. */
export interface EvaluatedOutputs {
  readonly values: JsonObject;
  /** Names of those that refer to what is not recorded: they have no value. */
  readonly unset: readonly string[];
}

/** The outputs that the stack file declares, from what the state records. */
export function evaluateOutputs(
  stack: StackConfig,
  state: Pick<StackState, "records">,
  options: { readonly env: Context["env"]; readonly showSensitive: boolean },
): EvaluatedOutputs {
  const values: Record<string, Json> = {};
  const unset: string[] = [];
  const bounded = boundExpressions();
  for (const [name, output] of Object.entries(stack.outputs ?? {})) {
    const evaluated = evaluate([output.value], {
      env: options.env,
      bounded,
      output(resource, path) {
        const record = state.records.get(resource);
        return record === undefined ? undefined : outputOf(record, path);
      },
    });
    if (evaluated.unresolved.length > 0) {
      unset.push(name);
      continue;
    }
    const secret = output.sensitive || evaluated.sensitive.length > 0;
    values[name] = secret && !options.showSensitive ? masked : (getAtPointer(evaluated.value, "/0") as Json);
  }
  return { values, unset };
}
