import {
  compareInputs,
  defineResource,
  isAlreadyExists,
  isJsonObject,
  isNotFound,
  jsonEqual,
  notFound,
  ProviderFailure,
  type AlreadyExists,
  type Comparison,
  type DesiredState,
  type JsonObject,
  type KnownState,
  type NotFound,
  type ObjectRef,
  type Resource,
  type ResourceDefinition,
  type ResourceState,
} from "@wfctl/plugin-sdk";
import { hasChanged, type Context } from "../calls.ts";
import type { AwsClient, ServiceName } from "../client.ts";
import { parseEndpoint, toEndpointId } from "../ids.ts";
import { ownerTag } from "../ownership.ts";
import type { Tags } from "../tags.ts";
import { markUnkept, withoutUnkept } from "../unkept.ts";
import { permissions } from "./permissions.ts";
import { typicalTimes } from "./typical-times.ts";

/** What an output says of a composite of which only parts are there. */
export const incompleteState = "incomplete";

/** A type of this provider; see `defineAwsResource`. */
export interface AwsResource<Input extends object, Outputs extends object> extends Omit<
  ResourceDefinition<AwsClient, Input, Outputs>,
  "setOwner"
> {
  /** Whose object it is. */
  readonly service: ServiceName;
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
  /** Writes tags of ours, such as the owner's, beside those that the object has. */
  setMarks(ref: ObjectRef, marks: Tags, context: Context): Promise<void | NotFound>;
}

/**
 * A resource type of AWS. Beside what the SDK does:
 * - a call that failed after it had changed something never reports a class that promises otherwise;
 * - a diff keeps quiet about what was settled at creation, and about tags that `default_tags` give already;
 * - a diff keeps quiet about what a server that stands in for AWS does not keep;
 * - the handlers work at the endpoint that the resource names, or its id;
 * - where the host knows no id, the object is found by its name first.
 */
export function defineAwsResource<Input extends object, Outputs extends object>(
  definition: AwsResource<Input, Outputs>,
): Resource<AwsClient> {
  const { settledBy = {}, incomplete, service, setMarks, ...rest } = definition;
  const settled = { region: "region", ...settledBy } as Readonly<Record<string, string>>;
  const { read, lookup, list, health, scale, troubleshoot } = definition;
  type State = ResourceState<Input, Outputs>;

  const inputEndpoint = (input: Input): string | undefined => (input as { readonly endpoint?: string }).endpoint;
  /** Everywhere that objects of the type can be: at home first. */
  const everywhere = (context: Context): Place[] => [
    placeAt(context, service, undefined),
    ...context.client.endpointNames(service).map((name) => placeAt(context, service, name)),
  ];
  const readAnywhere = async (ref: ObjectRef, context: Context): Promise<State | NotFound> => {
    if (ref.id !== "") {
      const { native, endpoint } = parseEndpoint(ref.id);
      const place = placeAt(context, service, endpoint);
      return place.mark(await read({ ...ref, id: native }, place.context));
    }
    for (const place of everywhere(context)) {
      const found = await read(ref, place.context);
      if (!isNotFound(found)) return place.mark(found);
    }
    return notFound();
  };
  /** The object that a call is about, with its id, and where it is. Undefined where there is none of that name. */
  const locate = async (ref: ObjectRef, context: Context): Promise<(Place & { ref: ObjectRef }) | undefined> => {
    let { id } = ref;
    if (id === "") {
      const found = await readAnywhere(ref, context);
      if (isNotFound(found)) return undefined;
      if (context.owner !== undefined && found.owner !== undefined && found.owner !== context.owner) {
        throw new ProviderFailure("validation", `"${ref.name}" belongs to ${found.owner}: say its id`);
      }
      ({ id } = found);
    }
    const { native, endpoint } = parseEndpoint(id);
    return { ...placeAt(context, service, endpoint), ref: { ...ref, id: native } };
  };

  const compare = (desired: DesiredState<Input>, known: KnownState, standard: Comparison): Comparison => {
    const quiet = withoutNoise(standard, known, settled);
    const own = definition.diff === undefined ? quiet : definition.diff(desired, known, quiet);
    return withoutUnkept(own, known);
  };
  /** The answer of a write, with what a server that stands in for AWS does not keep. */
  const settle = async <Answer extends State | AlreadyExists | NotFound>(
    desired: DesiredState<Input>,
    answer: Answer,
    context: Context,
    repair?: (ref: ObjectRef, context: Context) => Promise<State | NotFound>,
  ): Promise<Answer> => {
    if (isNotFound(answer) || isAlreadyExists(answer)) return answer;
    const type = {
      service,
      writeOnly: definition.writeOnly ?? [],
      read,
      setMarks,
      compare: (wanted: DesiredState<object>, known: KnownState) =>
        compare(wanted as DesiredState<Input>, known, compareInputs(resource as Resource<unknown>, wanted, known)),
    };
    const { id } = answer as State;
    const mend = repair && ((patient: Context) => repair({ name: desired.name, id }, patient));
    return (await markUnkept(type, desired, answer as State, context, mend)) as Answer;
  };

  const resource = defineResource<AwsClient>()({
    ...rest,
    forceNew: [...(definition.forceNew ?? []), "endpoint" as never],
    resetWhenUnset: [...(definition.resetWhenUnset ?? []), "endpoint" as never],
    permissions: permissions[definition.type] ?? [],
    typicalMs: typicalTimes[definition.type] ?? {},
    async create(desired, context) {
      const place = placeAt(context, service, inputEndpoint(desired.input));
      // A host that lost the answer asks again, under the same token, while the first call may still run.
      const make = async () => {
        const answer = await honestly(place.context, definition.create(desired, place.context));
        return settle(desired, answer, place.context, (ref, patient) => definition.update(ref, desired, patient));
      };
      const { client, clientToken, signal } = context;
      return place.mark(await client.turns.take(`${definition.type} ${clientToken}`, signal, make));
    },
    read: readAnywhere,
    async update(ref, desired, context) {
      const place = await locate(ref, context);
      if (place === undefined) return notFound(`${definition.type} "${ref.name}" does not exist`);
      const answer = await honestly(place.context, definition.update(place.ref, desired, place.context));
      return place.mark(await settle(desired, answer, place.context));
    },
    async delete(ref, context) {
      const place = await locate(ref, context);
      return place === undefined ? notFound() : honestly(place.context, definition.delete(place.ref, place.context));
    },
    async import(id, context) {
      const { native, endpoint } = parseEndpoint(id);
      const place = placeAt(context, service, endpoint);
      const find = definition.import ?? ((bare: string, at: Context) => read({ name: bare, id: bare }, at));
      return place.mark(await find(native, place.context));
    },
    diff(desired, known, standard) {
      if (incomplete !== undefined && known.outputs[incomplete.output] === incompleteState) {
        const wanted = (desired.input as JsonObject)[incomplete.input] ?? null;
        return { changes: [{ path: incomplete.input, new: wanted, forceNew: false }] };
      }
      return compare(desired, known, standard);
    },
    ...(lookup === undefined
      ? {}
      : {
          async lookup(query: Parameters<typeof lookup>[0], context: Context) {
            for (const place of everywhere(context)) {
              const found = await lookup(query, place.context);
              if (!isNotFound(found)) return place.mark(found);
            }
            return notFound();
          },
        }),
    ...(list === undefined
      ? {}
      : {
          async *list(context: Context) {
            for (const place of everywhere(context)) {
              for await (const state of list(place.context)) yield place.mark(state);
            }
          },
        }),
    async setOwner(ref: ObjectRef, owner: string, context: Context) {
      const place = await locate(ref, context);
      return place === undefined ? notFound() : setMarks(place.ref, { [ownerTag]: owner }, place.context);
    },
    ...(health === undefined
      ? {}
      : {
          async health(ref: ObjectRef, context: Context) {
            const place = await locate(ref, context);
            return place === undefined
              ? { healthy: false, message: "does not exist" }
              : health(place.ref, place.context);
          },
        }),
    ...(scale === undefined
      ? {}
      : {
          async scale(ref: ObjectRef, replicas: number, context: Context) {
            const place = await locate(ref, context);
            return place === undefined ? notFound() : place.mark(await scale(place.ref, replicas, place.context));
          },
        }),
    ...(troubleshoot === undefined
      ? {}
      : {
          async troubleshoot(ref: ObjectRef, failure: string, context: Context) {
            const { native, endpoint } = parseEndpoint(ref.id);
            return troubleshoot({ ...ref, id: native }, failure, placeAt(context, service, endpoint).context);
          },
        }),
  });
  return resource;
}

/** The answer of a create. Only the call that made the object says so: what an earlier attempt made is known by its token. */
export function asCreated<State extends object>(state: State, isNew: boolean): State & { readonly created?: boolean } {
  return isNew ? { ...state, created: true } : state;
}

/** Where handlers work: at home, or at one of the provider's `resource_endpoints`. */
interface Place {
  readonly context: Context;
  /** Puts the endpoint into the id and inputs of what a handler answered. */
  mark<Answer extends object>(answer: Answer): Answer;
}

function placeAt(context: Context, service: ServiceName, endpoint: string | undefined): Place {
  if (endpoint === undefined) return { context, mark: (answer) => answer };
  const at = Object.create(context, {
    client: { value: context.client.at(endpoint, service) },
    partial: {
      value: (id: string, outputs?: JsonObject) => context.partial(toEndpointId(id, endpoint), outputs),
    },
  }) as Context;
  return {
    context: at,
    mark(answer) {
      const { id, inputs } = answer as { readonly id?: string; readonly inputs?: object };
      if (id === undefined) return answer;
      const marked = { ...answer, id: toEndpointId(id, endpoint) };
      return inputs === undefined ? marked : { ...marked, inputs: { ...inputs, endpoint } };
    },
  };
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
  const { tags_all: live } = outputs as { readonly tags_all?: Readonly<Record<string, string>> };
  const changes = comparison.changes.filter(({ path, new: wanted }) => {
    const output = settled[path];
    if (output !== undefined && wanted !== undefined) return !jsonEqual(wanted, outputs[output]);
    // Where an object cannot have tags, none are missing.
    if (live === undefined) return path !== "tags" && !path.startsWith("tags.");
    if (path.startsWith("tags.")) return wanted === undefined || live[path.slice("tags.".length)] !== wanted;
    return true;
  });
  return changes.length === comparison.changes.length ? comparison : { changes };
}
