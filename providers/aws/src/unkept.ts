import {
  canonicalJson,
  isJsonObject,
  isNotFound,
  ProviderFailure,
  type Comparison,
  type DesiredState,
  type FieldChange,
  type JsonObject,
  type KnownState,
  type NotFound,
  type ObjectRef,
  type ResourceState,
} from "@wfctl/plugin-sdk";
import type { Context } from "./calls.ts";
import type { ServiceName } from "./client.ts";
import { shortHash } from "./naming.ts";
import { tell } from "./stand-in.ts";
import { markPrefix, type Tags } from "./tags.ts";

/**
 * Tag of an object at what stands in for AWS: what such a server showed otherwise right after it had been told. Never
 * written at AWS, which keeps what it accepts.
 */
export const unkeptTag = `${markPrefix}unkept`;
const nothing = "none";
/** As many digests as a tag's value holds. */
const maxDigests = 28;
const repairTimeoutMs = 60_000;

type State = ResourceState<object, object>;

/** What the handlers of a type do, as far as it is needed here. */
export interface MarkedType {
  readonly service: ServiceName;
  /** Input keys that `read` cannot give. */
  readonly writeOnly: readonly string[];
  read(ref: ObjectRef, context: Context): Promise<State | NotFound>;
  setMarks(ref: ObjectRef, marks: Tags, context: Context): Promise<void | NotFound>;
  compare(desired: DesiredState<object>, known: KnownState): Comparison;
}

/**
 * To be called with the answer of a create or an update. Where something stands in for AWS, the object is read again. What
 * it shows otherwise than it was told is mended by `repair`, for what a create call drops an update may keep. What is left
 * is told and marked: diffs are quiet about exactly that from then on, until the configuration or the object says
 * something else. At AWS this does nothing.
 */
export async function markUnkept(
  type: MarkedType,
  desired: DesiredState<object>,
  state: State,
  context: Context,
  repair?: (context: Context) => Promise<State | NotFound>,
): Promise<State> {
  const { client, signal } = context;
  const { standIn } = await client.connect(type.service, client.region);
  if (standIn === undefined || signal.aborted) return state;
  // Not all is there yet: some of it waits for the end of the run.
  if (client.deferrals.all().some(([, { resource }]) => resource === desired.name)) return state;
  let [answer, said] = [state, ""];
  try {
    const ref = { name: desired.name, id: state.id };
    const live = await type.read(ref, context);
    if (isNotFound(live)) return state;
    const { unkept, before } = findUnkept(type, desired, live);
    const paths = unkept.map(({ path }) => path).join(", ");
    if (unkept.length > 0) said = `${standIn} does not keep ${paths} of ${desired.name}`;
    const mark = unkept.map(digestOf).join(".") || nothing;
    if (mark !== (before ?? nothing)) {
      await type.setMarks(ref, { [unkeptTag]: mark }, context);
      const outputs = { ...state.outputs, tags_all: { ...tagsOf(state.outputs), [unkeptTag]: mark } };
      answer = { ...state, outputs };
    }
    if (said === "") return answer;
    if (repair !== undefined && !unkept.some(({ forceNew }) => forceNew)) {
      const repaired = await repair(soon(context)).catch(noneOfFailure);
      if (repaired !== undefined && !isNotFound(repaired))
        return await markUnkept(type, desired, { ...answer, ...repaired }, context);
    }
    tell(context, `${said}: what it shows instead counts as wanted`);
    return answer;
  } catch (error) {
    // The object is as this server can make it: that it is not marked is no failure.
    noneOfFailure(error);
    if (said !== "") tell(context, `${said}, which plans may show again: ${(error as Error).message}`);
    return answer;
  }
}

/** With less time: the object is there already, and what is done for it now must not fail it. */
function soon(context: Context): Context {
  const deadline = Math.min(context.deadline, context.clock.now() + repairTimeoutMs);
  return Object.create(context, { deadline: { value: deadline } }) as Context;
}

function noneOfFailure(error: unknown): undefined {
  if (!(error instanceof ProviderFailure)) throw error;
}

function findUnkept(type: MarkedType, desired: DesiredState<object>, live: State) {
  const known = toKnown(live);
  const { [unkeptTag]: before, ...tags } = tagsOf(known.outputs);
  const unmarked = { ...known, outputs: { ...known.outputs, tags_all: tags } };
  const changes = type.compare(desired, unmarked).changes.filter((change) => isMarkable(change, type.writeOnly));
  return { unkept: changes.slice(0, maxDigests), before };
}

/** True where the object is marked with this change: an update need not try it again. */
export function isUnkept(tags: Tags, change: Pick<FieldChange, "path" | "old" | "new">): boolean {
  return tags[unkeptTag]?.split(".").includes(digestOf(change)) === true;
}

/** Without the changes that the object is marked with. */
export function withoutUnkept(comparison: Comparison, { outputs }: KnownState): Comparison {
  const tags = tagsOf(outputs);
  if (tags[unkeptTag] === undefined) return comparison;
  const changes = comparison.changes.filter((change) => !isUnkept(tags, change));
  return changes.length === comparison.changes.length ? comparison : { changes };
}

/** Tags are what marks are made of, and of secrets no digest is written anywhere. */
function isMarkable({ path, sensitive }: FieldChange, writeOnly: readonly string[]): boolean {
  return sensitive !== true && !["tags", ...writeOnly].some((key) => path === key || path.startsWith(`${key}.`));
}

function digestOf({ path, old = null, new: wanted = null }: Pick<FieldChange, "path" | "old" | "new">): string {
  return shortHash(canonicalJson([path, old, wanted]));
}

function tagsOf(outputs: object): Tags {
  const { tags_all: tags } = outputs as { readonly tags_all?: Tags };
  return tags ?? {};
}

/** As a host would know the object after a read. */
function toKnown({ id, outputs, inputs }: State): KnownState {
  const known: unknown = JSON.parse(JSON.stringify({ outputs, inputs }));
  const { outputs: shown, inputs: said } = known as { outputs: JsonObject; inputs?: unknown };
  return { id, outputs: shown, inputs: isJsonObject(said) ? said : undefined };
}
