import * as grpc from "@grpc/grpc-js";
import {
  decodeDriverDiff,
  decodeDiff,
  decodeDriverObject,
  decodeFailureTrailers,
  decodeOutput,
  decodePartial,
  decodeReplyTrailers,
  encodeCallContext,
  ext,
  iac,
  openBidiCall,
  unaryCall,
  type DiffReply,
  type LiveObject,
  type PartialObject,
} from "@wfctl/contract";
import type { JsonObject } from "@wfctl/model";

/** How a call failed, the same for both ways. */
export interface Failure {
  readonly code: number;
  readonly message: string;
  readonly partial: PartialObject | undefined;
  readonly retryAfterMs: number | undefined;
}

export interface Meta {
  readonly clientToken?: string;
  readonly owner?: string;
  readonly run?: string;
  readonly timeoutMs?: number;
  readonly priority?: number;
  readonly signal?: AbortSignal;
  readonly onProgress?: (message: string, waiting: boolean, limited: boolean) => void;
}

type Answer<Value> = Promise<{ value: Value } | { failure: Failure }>;

/** One face for the rpcs of `ResourceDriver` and for a `DriverSession`, so that one test drives both. */
export interface Driver {
  create(name: string, config: JsonObject, meta?: Meta & { type?: string }): Answer<LiveObject>;
  /** Null where the object does not exist. */
  read(name: string, id: string): Answer<LiveObject | null>;
  update(name: string, id: string, config: JsonObject): Answer<LiveObject>;
  delete(id: string): Answer<null>;
  diff(config: JsonObject, current: { outputs?: JsonObject; inputs?: JsonObject }): Answer<DiffReply>;
  lookup(token: string): Answer<LiveObject | null>;
}

const type = "test.note";
const json = (value: JsonObject): Uint8Array => Buffer.from(JSON.stringify(value));

export function driveUnary(client: grpc.Client, own: Meta = { run: "r" }): Driver {
  const call = async <Value>(work: (options: {
    metadata: grpc.Metadata;
    deadline?: number;
    signal?: AbortSignal;
  }) => Promise<Value>, meta: Meta = {}): Answer<Value> => {
    const { timeoutMs, signal, clientToken, owner, run } = { ...own, ...meta };
    const context = Object.fromEntries(Object.entries({ clientToken, owner, run }).filter(([, value]) => value !== undefined));
    try {
      return {
        value: await work({
          metadata: encodeCallContext(context),
          ...(timeoutMs === undefined ? {} : { deadline: Date.now() + timeoutMs }),
          ...(signal === undefined ? {} : { signal }),
        }),
      };
    } catch (error) {
      const failed = error as grpc.ServiceError;
      const { partial, retryAfterMs } = decodeFailureTrailers(failed.metadata);
      return { failure: { code: failed.code, message: failed.details, partial, retryAfterMs } };
    }
  };
  const { method } = iac.ResourceDriver;
  return {
    create: (name, config, meta = {}) =>
      call(async (options) => {
        const spec = { name, type, configJson: json(config) };
        const request = { resourceType: meta.type ?? type, spec };
        const { response, trailers } = await unaryCall(client, method.create, request, options);
        return { ...decodeOutput(response.output!), ...decodeReplyTrailers(trailers) };
      }, meta),
    read: (name, id) =>
      call(async (options) => {
        const request = { resourceType: type, ref: { name, type, providerId: id } };
        const { response, trailers } = await unaryCall(client, method.read, request, options);
        return { ...decodeOutput(response.output!), ...decodeReplyTrailers(trailers) };
      }),
    update: (name, id, config) =>
      call(async (options) => {
        const ref = { name, type, providerId: id };
        const request = { resourceType: type, ref, spec: { name, type, configJson: json(config) } };
        const { response, trailers } = await unaryCall(client, method.update, request, options);
        return { ...decodeOutput(response.output!), ...decodeReplyTrailers(trailers) };
      }),
    delete: (id) =>
      call(async (options) => {
        await unaryCall(client, method.delete, { resourceType: type, ref: { name: "n", type, providerId: id } }, options);
        return null;
      }),
    diff: (config, { outputs = {} }) =>
      call(async (options) => {
        const desired = { name: "n", type, configJson: json(config) };
        const current = { name: "n", type, providerId: "id-n", outputsJson: json(outputs) };
        const { response } = await unaryCall(client, method.diff, { resourceType: type, desired, current }, options);
        return decodeDiff(response.result);
      }),
    lookup: (token) =>
      call(async (options) => {
        const request = { resourceType: type, clientToken: token, name: "n" };
        const { response } = await unaryCall(client, ext.ClientTokens.method.lookup, request, options);
        return response.found ? decodeDriverObject(response.object!) : null;
      }),
  };
}

export interface Session extends Driver {
  /** Closes the sending side; resolves when the stream has ended. */
  end(): Promise<void>;
  /** Sends several creates in one message. Each answer with the number of the message it came in. */
  createAll(names: readonly string[], config: JsonObject): Promise<{ name: string; message: number }[]>;
}

export function driveSession(client: grpc.Client, own: Meta = { run: "r" }): Session {
  const stream = openBidiCall(client, ext.DriverSession.method.run);
  const open = new Map<bigint, (reply: ext.DriverReply, message: number) => void>();
  let id = 0n;
  let messages = 0;
  const ended = (async () => {
    for await (const { replies } of stream.replies) {
      messages += 1;
      for (const reply of replies) open.get(reply.id)?.(reply, messages);
    }
  })();
  ended.catch(() => {});

  const prepare = <Value>(
    fields: Partial<Omit<ext.DriverRequest, "$typeName" | "$unknown" | "hints">>,
    read: (reply: ext.DriverReply, message: number) => Value,
    meta: Meta = {},
  ) => {
    id += 1n;
    const number = id;
    const { run = "", clientToken = "", owner = "", timeoutMs = 0, priority = 0, signal, onProgress } = { ...own, ...meta };
    const request = {
      id: number,
      resourceType: type,
      run,
      clientToken,
      owner,
      timeoutMs,
      priority,
      ...fields,
    };
    signal?.addEventListener("abort", () => {
      void stream.send({ requests: [{ id: number, operation: ext.DriverOperation.CANCEL }] });
    });
    const answer: Answer<Value> = new Promise((resolve) => {
      open.set(number, (reply, message) => {
        if (reply.progress !== undefined) {
          onProgress?.(reply.progress.message, reply.progress.waiting, reply.progress.limited);
          return;
        }
        open.delete(number);
        if (reply.code === 0) resolve({ value: read(reply, message) });
        else {
          const { code, message: text, retryAfterMs } = reply;
          const partial = decodePartial(reply.partial);
          resolve({
            failure: { code, message: text, partial, retryAfterMs: retryAfterMs === 0 ? undefined : retryAfterMs },
          });
        }
      });
    });
    return { request, answer };
  };
  const send = <Value>(...args: Parameters<typeof prepare<Value>>): Answer<Value> => {
    const { request, answer } = prepare<Value>(...args);
    void stream.send({ requests: [request] });
    return answer;
  };
  const object = (reply: ext.DriverReply): LiveObject => decodeDriverObject(reply.object!);
  const objectOrNone = (reply: ext.DriverReply): LiveObject | null => (reply.absent ? null : object(reply));
  const { CREATE, READ, UPDATE, DELETE, DIFF, LOOKUP } = ext.DriverOperation;
  return {
    create: (name, config, meta = {}) =>
      send({ operation: CREATE, name, configJson: json(config), resourceType: meta.type ?? type }, object, meta),
    read: (name, providerId) => send({ operation: READ, name, providerId }, objectOrNone),
    update: (name, providerId, config) =>
      send({ operation: UPDATE, name, providerId, configJson: json(config) }, object),
    delete: (providerId) => send({ operation: DELETE, name: "n", providerId }, () => null),
    diff: (config, { outputs = {}, inputs }) =>
      send(
        {
          operation: DIFF,
          name: "n",
          providerId: "id-n",
          configJson: json(config),
          currentOutputsJson: json(outputs),
          currentInputsJson: inputs === undefined ? new Uint8Array() : json(inputs),
        },
        (reply) => decodeDriverDiff(reply.diff),
      ),
    lookup: (clientToken) => send({ operation: LOOKUP, name: "n" }, objectOrNone, { clientToken }),
    async createAll(names, config) {
      const calls = names.map((name) =>
        prepare({ operation: CREATE, name, configJson: json(config) }, (reply, message) => ({
          name: object(reply).name,
          message,
        })),
      );
      await stream.send({ requests: calls.map(({ request }) => request) });
      const answers = await Promise.all(calls.map(({ answer }) => answer));
      return answers.map((answer) => {
        if ("failure" in answer) throw new Error(answer.failure.message);
        return answer.value;
      });
    },
    async end() {
      stream.end();
      await ended;
    },
  };
}

export function valueOf<Value>(answer: { value: Value } | { failure: Failure }): Value {
  if ("failure" in answer) throw new Error(`The call failed with ${answer.failure.code}: ${answer.failure.message}`);
  return answer.value;
}

export function failureOf(answer: { value: unknown } | { failure: Failure }): Failure {
  if ("value" in answer) throw new Error(`The call succeeded with ${JSON.stringify(answer.value)}`);
  return answer.failure;
}

