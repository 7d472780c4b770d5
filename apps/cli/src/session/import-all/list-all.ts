import { ask } from "@wfctl/engine";
import { ProviderError, WfctlError } from "@wfctl/model";
import type { PluginProvider } from "@wfctl/plugin-host";
import { realClock, realRandom } from "../runtime.ts";
import { mapSome } from "./map-some.ts";
import { carries, compareObjects, spellings, type ListedObject, type SkippedObject } from "./found-object.ts";

export interface ListingInput {
  readonly providers: readonly PluginProvider[];
  readonly types: ReadonlySet<string> | undefined;
  readonly tags: readonly string[];
  readonly run: string;
  readonly signal: AbortSignal;
}

export interface Listed {
  readonly objects: readonly ListedObject[];
  readonly skipped: readonly SkippedObject[];
  /** Some list could not be had: there may be more. */
  readonly incomplete: boolean;
}

/** Types of one provider that are listed at the same time. */
const typesAtOnce = 4;

/** Asks every provider for its objects. What cannot be listed is told, and the rest is listed all the same. */
export async function listAll(input: ListingInput): Promise<Listed> {
  const listed = await Promise.all(input.providers.map((provider) => listProvider(provider, input)));
  if (listed.every((each) => each === undefined)) {
    const names = input.providers.map((provider) => `"${provider.name}"`).join(", ");
    throw new WfctlError("UNSUPPORTED", `Cannot list objects: no plugin of the stack lists any (${names})`, {
      hint: "Record objects one by one: wfctl import NAME ID",
    });
  }
  const parts = listed.map((each, index) => each ?? silent(input.providers[index] as PluginProvider));
  return {
    objects: parts.flatMap((part) => part.objects).toSorted(compareObjects),
    skipped: parts.flatMap((part) => part.skipped),
    incomplete: parts.some((part) => part.incomplete),
  };
}

function silent(provider: PluginProvider): Listed {
  const why = `plugin "${provider.name}" lists no objects`;
  return { objects: [], skipped: [{ provider: provider.module, type: "", why }], incomplete: false };
}

async function listProvider(provider: PluginProvider, input: ListingInput): Promise<Listed | undefined> {
  const found = input.tags.length === 0 ? undefined : await listTagged(provider, input);
  if (found !== undefined) return { objects: found, skipped: [], incomplete: false };
  const listed = await listTypes(provider, input);
  if (listed === undefined || input.tags.length === 0) return listed;
  const objects = listed.objects.flatMap((object) => {
    if (object.tags.length === 0) return [{ ...object, mustCarry: input.tags }];
    return carries(object.tags, input.tags) ? [object] : [];
  });
  return { ...listed, objects };
}

/** Other types have no place in a stack file. */
function isWanted(type: string, { types }: ListingInput): boolean {
  return type.startsWith("infra.") && types?.has(type) !== false;
}

/** Type by type: what fails for one does not keep the others. Undefined where the plugin lists nothing at all. */
async function listTypes(provider: PluginProvider, input: ListingInput): Promise<Listed | undefined> {
  const types = provider.resourceTypes.filter((type) => isWanted(type, input)).toSorted();
  const objects: ListedObject[] = [];
  const skipped: SkippedObject[] = [];
  let incomplete = false;
  let anyListed = types.length === 0;
  const list = async (type: string): Promise<void> => {
    const entry = { provider: provider.module, type };
    try {
      const found = await send(provider, { type }, input);
      if (found === undefined) {
        skipped.push({ ...entry, why: "objects of this type are not listed" });
        return;
      }
      anyListed = true;
      for (const object of found) objects.push({ provider, ...object });
    } catch (thrown) {
      if (input.signal.aborted) throw thrown;
      anyListed = true;
      incomplete = true;
      skipped.push({ ...entry, why: `the list failed: ${describe(thrown)}` });
    }
  };
  await mapSome(types, list, typesAtOnce);
  if (!anyListed) return undefined;
  return { objects, skipped: skipped.toSorted((a, b) => (a.type < b.type ? -1 : 1)), incomplete };
}

/** Objects that carry all of the tags, as the provider finds them. Undefined where it cannot: then the lists of all types may tell. */
async function listTagged(provider: PluginProvider, input: ListingInput): Promise<ListedObject[] | undefined> {
  let left: Map<string, ListedObject> | undefined;
  for (const tag of input.tags) {
    const found: ListedObject[] = [];
    for (const spelling of spellings(tag)) {
      try {
        const refs = await send(provider, { tag: spelling }, input);
        if (refs === undefined) return undefined;
        found.push(...refs.map((ref) => ({ provider, ...ref })));
      } catch (thrown) {
        if (input.signal.aborted) throw thrown;
        return undefined;
      }
    }
    const before: ReadonlyMap<string, ListedObject> | undefined = left;
    left = new Map(
      found
        .filter(({ type }) => isWanted(type, input))
        .map((object): [string, ListedObject] => [JSON.stringify([object.type, object.providerId]), object])
        .filter(([key]) => before?.has(key) !== false),
    );
  }
  return [...(left ?? new Map<string, ListedObject>()).values()];
}

function send(
  provider: PluginProvider,
  which: Parameters<PluginProvider["listObjects"]>[0],
  { run, signal }: ListingInput,
): ReturnType<PluginProvider["listObjects"]> {
  const caller = { clock: realClock, random: realRandom, runId: run, signal };
  // A long list has many pages: it may take longer than one read.
  return ask(caller, { timeouts: { read: 600_000 } }, (options) => provider.listObjects(which, options));
}

export function describe(thrown: unknown): string {
  const text = thrown instanceof Error ? thrown.message : String(thrown);
  return thrown instanceof ProviderError ? `${thrown.class}: ${text}` : text;
}
