import {
  defineResource,
  isNotFound,
  ProviderFailure,
  type Comparison,
  type KnownState,
  type Resource,
  type ResourceDefinition,
} from "@wfctl/plugin-sdk";
import { hasChanged, hasRead, type Context } from "../calls.ts";
import type { DigitalOceanClient } from "../client.ts";
import { awaitThat } from "../waiting.ts";
import { typicalTimes } from "./typical-times.ts";

/** A type of this provider; see `defineDoResource`. */
export interface DoResource<Input extends object, Outputs extends object> extends ResourceDefinition<
  DigitalOceanClient,
  Input,
  Outputs
> {
  /** Input keys that matter at creation only and cannot be changed later: naming another value is no change. */
  readonly onlyAtCreation?: readonly (keyof Input & string)[];
}

/**
 * A resource type of DigitalOcean. Beside what the SDK does, a call that failed after it had changed something never
 * reports a class that promises otherwise, and a diff keeps quiet about what counts at creation only.
 */
export function defineDoResource<Input extends object, Outputs extends object>(
  definition: DoResource<Input, Outputs>,
): Resource<DigitalOceanClient> {
  const { onlyAtCreation = [], ...rest } = definition;
  const quiet = new Set<string>(onlyAtCreation);
  return defineResource<DigitalOceanClient>()({
    ...rest,
    typicalMs: typicalTimes[definition.type] ?? {},
    create: (desired, context) => {
      const work = async (): Promise<Made<Input, Outputs>> => {
        const made = await honestly(context, definition.create(desired, context));
        if ("id" in made) await awaitVisible(context, definition, { name: desired.name, id: made.id });
        return made;
      };
      // Marks are read before they are written: two creates with one token at the same time would both find none.
      return rest.convergentCreate === true ? context.client.exclusive(`create ${context.clientToken}`, work) : work();
    },
    update: (ref, desired, context) => honestly(context, definition.update(ref, desired, context)),
    delete: (ref, context) => honestly(context, definition.delete(ref, context)),
    diff(desired, known: KnownState, standard: Comparison) {
      const changes = standard.changes.filter(({ path }) => !quiet.has(path.split(".")[0]!));
      const left = changes.length === standard.changes.length ? standard : { changes };
      return definition.diff === undefined ? left : definition.diff(desired, known, left);
    },
  });
}

/** How long a new object may be invisible to reads. */
const visibleMs = 30_000;

/** A create that ends while reads do not find its object yet would have the next refresh believe that it is gone. */
async function awaitVisible<Input extends object, Outputs extends object>(
  context: Context,
  { type, read }: DoResource<Input, Outputs>,
  ref: { readonly name: string; readonly id: string },
): Promise<void> {
  if (ref.id === "" || hasRead(context, ref.id)) return;
  try {
    await awaitThat(
      context,
      `${type} "${ref.name}" to be visible`,
      async () => (isNotFound(await read(ref, context)) ? undefined : true),
      { timeoutMs: visibleMs },
    );
  } catch (error) {
    // It was made, which is what is to be told.
    if (!(error instanceof ProviderFailure)) throw error;
    context.progress(`Note: ${type} "${ref.name}" is made, but cannot be read yet: ${error.message}`);
  }
}

type Made<Input extends object, Outputs extends object> = Awaited<ReturnType<DoResource<Input, Outputs>["create"]>>;

/** The definite classes promise that nothing was changed: a composite that got halfway cannot. */
async function honestly<Answer>(context: Context, answer: Promise<Answer>): Promise<Answer> {
  try {
    return await answer;
  } catch (error) {
    // What reads an answer trusts in what the API's description promises of it.
    if (error instanceof TypeError) {
      throw new ProviderFailure("unknown", `The API answered without what it must say (${error.message})`, {
        cause: error,
      });
    }
    if (!(error instanceof ProviderFailure) || !error.definite || !hasChanged(context)) throw error;
    throw new ProviderFailure("unknown", error.message, {
      cause: error,
      ...(error.partial === undefined ? {} : { partial: error.partial }),
    });
  }
}
