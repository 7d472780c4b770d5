import { create } from "@bufbuild/protobuf";
import {
  bytesToObject,
  decodeDriverRequestSpec,
  driverOperations,
  encodeDriverDiff,
  encodeDriverObject,
  encodePartial,
  ext,
  type ServiceHandlers,
} from "@wfctl/contract";
import type * as grpc from "@grpc/grpc-js";
import type { Caller } from "../calls/call.ts";
import { hideSecrets } from "./driver-service.ts";
import type { Runtime } from "./runtime.ts";
import { statusOf } from "./status.ts";

type Stream = grpc.ServerDuplexStream<ext.DriverRequests, ext.DriverReplies>;
interface OpenRequest {
  readonly controller: AbortController;
  priority: number;
}

type Answer = Partial<Pick<ext.DriverReply, "absent" | "object" | "diff">>;

/** Above this many bytes of JSON a batch is sent even in the middle of a tick. */
const maxBatchBytes = 1024 * 1024;
const cancelledCode = 1;

/** `DriverSession`: any number of driver calls on one stream, several to a message. */
export function sessionService(runtime: Runtime): ServiceHandlers<typeof ext.DriverSession> {
  return { run: (stream) => serveSession(runtime, stream) };
}

function serveSession(runtime: Runtime, stream: Stream): void {
  const open = new Map<bigint, OpenRequest>();
  const batch = createBatch(stream);
  let closing = false;
  const endWhenDone = (): void => {
    if (closing && open.size === 0) batch.end();
  };
  const closed = (): void => {
    batch.drop();
    for (const { controller } of open.values()) controller.abort();
  };

  const start = (request: ext.DriverRequest): void => {
    const operation = request.operation;
    if (operation === ext.DriverOperation.CANCEL) {
      open.get(request.id)?.controller.abort();
      return;
    }
    const controller = new AbortController();
    const opened: OpenRequest = { controller, priority: request.priority };
    open.set(request.id, opened);
    const answered = (reply: ext.DriverReply): void => {
      // A cancelled call was answered when it was cancelled.
      if (open.get(request.id) !== opened) return;
      open.delete(request.id);
      batch.add(reply);
      endWhenDone();
    };
    controller.signal.addEventListener("abort", () => {
      // The handler's last words come within its grace, else this is the answer.
      setTimeout(
        () => answered(reply(request.id, { code: cancelledCode, message: "The host cancelled the call" })),
        cancelGraceMs,
      ).unref();
    });
    perform(runtime, request, callerOf(request, opened, batch)).then(
      (answer) => answered(create(ext.DriverReplySchema, { id: request.id, ...answer })),
      (error: unknown) => answered(failureReply(request.id, error)),
    );
  };

  stream.on("data", (message: ext.DriverRequests) => {
    for (const request of message.requests) start(request);
    for (const { id, priority } of message.priorities) {
      const request = open.get(id);
      if (request !== undefined) request.priority = priority;
    }
  });
  stream.on("end", () => {
    closing = true;
    endWhenDone();
  });
  stream.on("cancelled", closed);
  stream.on("error", closed);
  runtime.ending.addEventListener("abort", () => {
    // What is open still gets its answer if it comes at once; the stream ends with the server.
    closing = true;
    endWhenDone();
  });
}

/** As long as a handler has for its last words. */
const cancelGraceMs = 600;

async function perform(runtime: Runtime, request: ext.DriverRequest, caller: Caller): Promise<Answer> {
  const { operations } = runtime;
  const type = request.resourceType;
  const ref = { name: request.name, type, providerId: request.providerId };
  switch (driverOperations.fromWire(request.operation, "DriverRequest.operation")) {
    case "create":
      return { object: encodeDriverObject(await operations.create(type, decodeDriverRequestSpec(request), caller)) };
    case "read": {
      const object = await operations.read(type, ref, caller);
      return object === undefined ? { absent: true } : { object: encodeDriverObject(object) };
    }
    case "update": {
      const spec = decodeDriverRequestSpec(request);
      return { object: encodeDriverObject(await operations.update(type, ref, spec, caller)) };
    }
    case "delete":
      await operations.delete(type, ref, caller);
      return {};
    case "diff": {
      const current = {
        providerId: request.providerId,
        outputs: bytesToObject(request.currentOutputsJson, "DriverRequest.current_outputs_json") ?? {},
        inputs: bytesToObject(request.currentInputsJson, "DriverRequest.current_inputs_json"),
      };
      const diff = await operations.diff(type, decodeDriverRequestSpec(request), current, caller);
      return { diff: encodeDriverDiff(hideSecrets(diff)) };
    }
    case "lookup": {
      const query = { token: request.clientToken, name: request.name, owner: request.owner };
      const object = await operations.lookup(type, query, caller);
      return object === undefined ? { absent: true } : { object: encodeDriverObject(object) };
    }
    case "cancel":
      return {};
  }
}

function callerOf(request: ext.DriverRequest, opened: OpenRequest, batch: Batch): Caller {
  return {
    instance: request.instance,
    run: request.run,
    clientToken: request.clientToken,
    owner: request.owner,
    get priority() {
      return opened.priority;
    },
    deadline: request.timeoutMs === 0 ? undefined : Date.now() + request.timeoutMs,
    signal: opened.controller.signal,
    extended: true,
    onProgress: (message, waiting, limited = false) =>
      batch.add(reply(request.id, { progress: { message, waiting, limited } })),
  };
}

function failureReply(id: bigint, thrown: unknown): ext.DriverReply {
  const { code, message, error } = statusOf(thrown);
  return create(ext.DriverReplySchema, {
    id,
    code,
    message,
    ...(error?.retryAfterMs === undefined ? {} : { retryAfterMs: Math.ceil(error.retryAfterMs) }),
    ...(error?.partial === undefined ? {} : { partial: encodePartial(error.partial) }),
  });
}

function reply(
  id: bigint,
  rest: { code?: number; message?: string; progress?: { message: string; waiting: boolean; limited: boolean } },
): ext.DriverReply {
  const { progress, ...fields } = rest;
  return create(ext.DriverReplySchema, {
    id,
    ...fields,
    ...(progress === undefined ? {} : { progress: create(ext.ProgressSchema, progress) }),
  });
}

/** Collects the replies of one tick into one message. */
interface Batch {
  add(reply: ext.DriverReply): void;
  /** Sends what is collected and closes the stream. */
  end(): void;
  /** The stream is gone: nothing is sent any more. */
  drop(): void;
}

function createBatch(stream: Stream): Batch {
  let replies: ext.DriverReply[] = [];
  let bytes = 0;
  let scheduled = false;
  let over = false;
  const flush = (): void => {
    scheduled = false;
    if (over || replies.length === 0) return;
    const message = create(ext.DriverRepliesSchema, { replies });
    replies = [];
    bytes = 0;
    stream.write(message);
  };
  return {
    add(each) {
      if (over) return;
      replies.push(each);
      bytes += (each.object?.outputsJson.length ?? 0) + (each.object?.live?.inputsJson.length ?? 0);
      if (bytes >= maxBatchBytes) flush();
      else if (!scheduled) {
        scheduled = true;
        setImmediate(flush);
      }
    },
    end() {
      flush();
      if (!over) stream.end();
      over = true;
    },
    drop() {
      over = true;
      replies = [];
    },
  };
}
