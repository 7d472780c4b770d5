import {
  ProviderFailure,
  defineProvider,
  defineResource,
  notFound,
  z,
  type CallContext,
  type FailureClass,
  type JsonObject,
  type NotFound,
  type Provider,
  type Resource,
  type ResourceState,
} from "@wfctl/plugin-sdk";
import type { PluginFault } from "./fault-script.ts";
import { isStranger } from "./memory-cloud.ts";
import {
  createCloudClient,
  outputsOf,
  resourceTypes,
  ScriptedFailure,
  type CallWork,
  type CloudClient,
} from "./perform-call.ts";
import type { PluginCall, StoredObject } from "./stored-object.ts";

type State = ResourceState<JsonObject, JsonObject>;

const input = z.strictObject({
  value: z.json().optional(),
  region: z.string().optional(),
  /** References to other resources. */
  parents: z.array(z.json()).optional(),
  settings: z.record(z.string(), z.json()).optional(),
  password: z.string().optional(),
  /** Cannot be read back. */
  note: z.string().optional(),
});

const outputs = z.looseObject({
  endpoint: z.string().optional(),
  revision: z.number().optional(),
  value: z.json().optional(),
  region: z.string().optional(),
  password: z.string().optional(),
});

const config = z.strictObject({
  /** Folder of the cloud; without it the cloud is in memory. */
  root: z.string().optional(),
  account: z.string().optional(),
  latency_ms: z.number().optional(),
  /** Calls per second. */
  rate: z.number().optional(),
  /** Never read: something secret to be kept. */
  token: z.string().optional(),
  faults: z.array(z.custom<PluginFault>((value) => typeof value === "object" && value !== null)).optional(),
});

/** The test provider that does all that our SDK can: sessions, tokens, lookup, live inputs, Stop. */
export function createCloudProvider(options: { name: string; finalizer: boolean }): Provider {
  return defineProvider<CloudClient, z.infer<typeof config>>({
    name: options.name,
    version: "1.0.0",
    description: "Test cloud of wfctl: objects in a folder or in memory, with faults on demand",
    config,
    resources: resourceTypes.map((type) => cloudResource(type)),
    clientTokens: true,
    configure: (given) => createCloudClient(given as never),
    stableIdentity: true,
    identity: (client) => ({ identity: `${options.name}:${client.account}`, labels: { account: client.account } }),
    close: (client) => client.cloud.close(),
    ...(options.finalizer ? { finalize: finalizeDeferred } : {}),
  });
}

/** Derives what is to do from the cloud, so that nothing is lost with the process. */
async function finalizeDeferred(
  planId: string,
  context: CallContext<CloudClient>,
): Promise<readonly { resource: string; action: string; error: string }[]> {
  const { client } = context;
  const call: PluginCall = {
    operation: "finalize",
    type: "",
    name: planId,
    providerId: "",
    token: "",
    run: context.run,
  };
  try {
    await client.perform(
      call,
      {
        effect: () => {
          const owed = client.cloud
            .list(client.account)
            .filter((object) => object.type === "test.deferred" && !object.finalized);
          client.cloud.finalize(
            client.account,
            owed.map((object) => object.id),
          );
        },
      },
      { sleep: (ms) => context.sleep(ms) },
    );
    return [];
  } catch (thrown) {
    if (!(thrown instanceof ScriptedFailure)) throw thrown;
    return [{ resource: "test.deferred", action: "finalize", error: thrown.message }];
  }
}

function cloudResource(type: string): Resource<CloudClient> {
  const isPlain = type === "test.plain";
  return defineResource<CloudClient>()<JsonObject, JsonObject>({
    type,
    description: `Test object of type ${type}`,
    input: input as unknown as z.ZodType<JsonObject>,
    outputs: outputs as unknown as z.ZodType<JsonObject>,
    forceNew: ["region"],
    sensitiveInputs: ["password"],
    writeOnly: ["note"],
    resetWhenUnset: ["value", "parents", "settings"],
    createFirst: type === "test.create_first",
    convergentCreate: !isPlain,
    settleMs: 1000,
    ...(type.endsWith(".secret") ? { sensitiveOutputs: ["password"] } : {}),
    async create(desired, context) {
      const { client, clientToken: token } = context;
      const request = {
        account: client.account,
        type,
        name: desired.name,
        inputs: desired.input,
        owner: context.owner ?? "",
        token: isPlain ? "" : token,
      };
      return carry(
        context,
        callOf("create", type, desired.name, "", context),
        {
          effect: (partial) => client.cloud.create({ ...request, partial }),
          late: { kind: "create", request },
        },
        ({ object, fresh }) => ({ ...stateOf(object, type, desired.name), created: fresh }),
        ({ object }) => object.id,
      );
    },
    async read(ref, context) {
      return carry(
        context,
        callOf("read", type, ref.name, ref.id, context),
        {
          effect: () => find(context.client, type, ref),
        },
        (object) => (object === undefined ? notFound() : stateOf(object, type, ref.name)),
      );
    },
    async update(ref, desired, context) {
      const { client } = context;
      return carry(
        context,
        callOf("update", type, ref.name, ref.id, context),
        {
          effect: () => {
            const object = find(client, type, ref);
            return object === undefined ? undefined : client.cloud.update(client.account, object.id, desired.input);
          },
          late: { kind: "update", account: client.account, id: ref.id, inputs: desired.input },
        },
        (object) => (object === undefined ? notFound() : stateOf(object, type, ref.name)),
      );
    },
    async delete(ref, context) {
      const { client } = context;
      return carry(
        context,
        callOf("delete", type, ref.name, ref.id, context),
        {
          effect: () => {
            const object = find(client, type, ref);
            return object !== undefined && client.cloud.delete(client.account, object.id);
          },
          late: { kind: "delete", account: client.account, id: ref.id },
        },
        (found): void | NotFound => (found ? undefined : notFound()),
      );
    },
    ...(isPlain
      ? {}
      : {
          async lookup(query, context): Promise<State | NotFound> {
            return carry(
              context,
              callOf("lookup", type, query.name, "", context),
              {
                effect: () => context.client.cloud.findByToken(context.client.account, type, query.token),
              },
              (object) => (object === undefined ? notFound() : stateOf(object, type, query.name)),
            );
          },
        }),
    async *list(context) {
      for (const object of context.client.cloud.list(context.client.account)) {
        if (object.type !== type) continue;
        yield { ...stateOf(object, type, object.name), name: object.name, tags: tagsOf(object) };
      }
    },
    sizing: ({ size }) => ({ instanceType: `test-${size}`, specs: {} }),
  });
}

async function carry<Effect, Answer>(
  context: CallContext<CloudClient>,
  call: PluginCall,
  work: CallWork<Effect>,
  answer: (effect: Effect) => Answer,
  madeId?: (effect: Effect) => string,
): Promise<Answer> {
  const partial = (effect: unknown): void => {
    if (madeId !== undefined && effect !== undefined) context.partial(madeId(effect as Effect));
  };
  try {
    const send = (): Promise<{ readonly effect: Effect }> =>
      context.client.perform(call, work, {
        sleep: (ms) => context.sleep(ms),
        waiting: (effect) => {
          partial(effect);
          context.progress(`Waiting for ${call.name}`, { waiting: true });
        },
      });
    return answer((await send()).effect);
  } catch (thrown) {
    if (!(thrown instanceof ScriptedFailure)) throw thrown;
    const { fault, effect } = thrown;
    // An answer that got lost on its way to the driver tells it nothing; a half made object it knows of.
    if (fault.partial === true) partial(effect);
    const extra = fault.retryAfterMs === undefined ? {} : { retryAfterMs: fault.retryAfterMs };
    throw new ProviderFailure((fault.error ?? "unknown") as FailureClass, thrown.message, extra);
  }
}

function callOf(
  operation: PluginCall["operation"],
  type: string,
  name: string,
  providerId: string,
  context: CallContext<CloudClient>,
): PluginCall {
  return { operation, type, name, providerId, token: context.clientToken, run: context.run };
}

function find(
  client: CloudClient,
  type: string,
  ref: { readonly name: string; readonly id: string },
): StoredObject | undefined {
  if (ref.id === "") return client.cloud.findByName(client.account, type, ref.name);
  return client.cloud.get(client.account, ref.id);
}

/** The settings that are text, as tags. */
function tagsOf({ inputs: { settings } }: StoredObject): string[] {
  return Object.entries((settings ?? {}) as JsonObject).flatMap(([key, value]) =>
    typeof value === "string" ? [`${key}=${value}`] : [],
  );
}

function stateOf(object: StoredObject, type: string, name: string): State {
  if (isStranger(object)) return { id: object.id, outputs: {} };
  const { note: _note, ...readable } = object.inputs;
  return {
    id: object.id,
    outputs: outputsOf({ ...object, type, name }),
    inputs: object.state === "partial" ? {} : readable,
    ...(object.owner === "" ? {} : { owner: object.owner }),
  };
}
