import {
  defineResource,
  isJsonObject,
  jsonEqual,
  ProviderFailure,
  type Comparison,
  type JsonObject,
  type KnownState,
  type Resource,
  type ResourceDefinition,
} from "@wfctl/plugin-sdk";
import { hasChanged, type Context } from "../calls.ts";
import type { AwsClient } from "../client.ts";
import { permissions } from "./permissions.ts";

/** What an output says of a composite of which only parts are there. */
export const incompleteState = "incomplete";

/** A type of this provider; see `defineAwsResource`. */
export interface AwsResource<Input extends object, Outputs extends object> extends ResourceDefinition<
  AwsClient,
  Input,
  Outputs
> {
  /**
   * Input keys without a default in the schema whose value is settled when the object is made, and the outputs that then
   * hold it: naming that value later is no change.
   */
  readonly settledBy?: Partial<Record<keyof Input & string, keyof Outputs & string>>;
  /**
   * Of a composite whose main object goes before its parts, or comes after them: the output that says `incomplete` where
   * only parts are there, and the required input that a diff names then. `update` makes what is missing.
   */
  readonly incomplete?: { readonly output: keyof Outputs & string; readonly input: keyof Input & string };
}

/**
 * A resource type of AWS. Beside what the SDK does:
 * - a call that failed after it had changed something never reports a class that promises otherwise;
 * - a diff keeps quiet about what was settled at creation, and about tags that `default_tags` give already.
 */
export function defineAwsResource<Input extends object, Outputs extends object>(
  definition: AwsResource<Input, Outputs>,
): Resource<AwsClient> {
  const { settledBy = {}, incomplete, ...rest } = definition;
  const settled = { region: "region", ...settledBy } as Readonly<Record<string, string>>;
  return defineResource<AwsClient>()({
    ...rest,
    permissions: permissions[definition.type] ?? [],
    create: (desired, context) => honestly(context, definition.create(desired, context)),
    update: (ref, desired, context) => honestly(context, definition.update(ref, desired, context)),
    delete: (ref, context) => honestly(context, definition.delete(ref, context)),
    diff(desired, known, standard) {
      if (incomplete !== undefined && known.outputs[incomplete.output] === incompleteState) {
        const wanted = (desired.input as JsonObject)[incomplete.input] ?? null;
        return { changes: [{ path: incomplete.input, new: wanted, forceNew: false }] };
      }
      const quiet = withoutNoise(standard, known, settled);
      return definition.diff === undefined ? quiet : definition.diff(desired, known, quiet);
    },
  });
}

/** The recorded or live inputs, wherever the host put them: some hosts send outputs alone into a diff. */
export function inputsOf({ inputs, outputs }: KnownState): JsonObject | undefined {
  const applied = outputs["applied_config"];
  return inputs ?? (isJsonObject(applied) ? applied : undefined);
}

/** The first six classes promise that nothing was changed: a composite that got halfway cannot. */
async function honestly<Answer>(context: Context, answer: Promise<Answer>): Promise<Answer> {
  try {
    return await answer;
  } catch (error) {
    if (!(error instanceof ProviderFailure) || !error.definite || !hasChanged(context)) throw error;
    throw new ProviderFailure("unknown", error.message, {
      cause: error,
      ...(error.partial === undefined ? {} : { partial: error.partial }),
    });
  }
}

function withoutNoise(
  comparison: Comparison,
  { outputs }: KnownState,
  settled: Readonly<Record<string, string>>,
): Comparison {
  const live = (outputs["tags_all"] ?? {}) as Record<string, unknown>;
  const changes = comparison.changes.filter(({ path, new: wanted }) => {
    const output = settled[path];
    if (output !== undefined && wanted !== undefined) return !jsonEqual(wanted, outputs[output]);
    if (path.startsWith("tags.")) return wanted === undefined || live[path.slice("tags.".length)] !== wanted;
    return true;
  });
  return changes.length === comparison.changes.length ? comparison : { changes };
}
