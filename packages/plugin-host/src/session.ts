import { status, type Client } from "@grpc/grpc-js";
import type { MessageInitShape } from "@bufbuild/protobuf";
import {
  decodePartial,
  ext,
  openBidiCall,
  providerErrorFromStatus,
  toProviderError,
  type BidiCall,
} from "@wfctl/contract";
import type { CallOptions } from "@wfctl/engine";
import { ProviderError } from "@wfctl/model";

import { cancelledCall, lateCall } from "./drivers.ts";

export type SessionRequest = Omit<MessageInitShape<typeof ext.DriverRequestSchema>, "id" | "$typeName" | "$unknown">;

/** Many driver calls at once over one stream. */
export interface DriverSession {
  /** Resolves with a reply of success; rejects with a `ProviderError`, or with `SessionUnimplemented`. */
  call(name: string, request: SessionRequest, options: CallOptions): Promise<ext.DriverReply>;
  /** No more calls: the plugin may answer what is open and end the stream. */
  end(): void;
}

/** The plugin advertises the session and does not serve it: none of the calls made was received. */
export class SessionUnimplemented extends Error {}

type Stream = BidiCall<typeof ext.DriverRequestsSchema, typeof ext.DriverRepliesSchema>;
type QueuedRequest = SessionRequest & { id: bigint };

interface OpenCall {
  readonly name: string;
  readonly onProgress: CallOptions["onProgress"];
  settle(outcome: ext.DriverReply | Error): void;
}

/** Requests in one message, at most. */
const largestBatch = 256;
/** Bytes of configuration and outputs in one message, unless a single request has more. */
const largestBatchBytes = 1024 * 1024;
/** What a timer can hold. */
const longestTimeoutMs = 2 ** 31 - 1;

/**
 * Opens a stream with the first call, and a new one after a stream has failed.
 * Requests made in one turn of the event loop travel in one message, and so do those that wait while the stream is full.
 */
export function createDriverSession(client: Client): DriverSession {
  const open = new Map<bigint, OpenCall>();
  let queue: QueuedRequest[] = [];
  /** Of requests that were sent before. */
  const priorities = new Map<bigint, number>();
  let stream: Stream | undefined;
  let pumping = false;
  let ended = false;
  let lastId = 0n;

  const settleAll = (error: Error): void => {
    queue = [];
    priorities.clear();
    for (const call of open.values()) call.settle(error);
  };

  const receive = async (current: Stream): Promise<void> => {
    let received = false;
    let failure: Error;
    try {
      for await (const { replies } of current.replies) {
        received = true;
        for (const reply of replies) dispatch(reply);
      }
      failure = new ProviderError("bad_reply", "The plugin ended the driver session with calls unanswered", {
        answered: false,
      });
    } catch (error) {
      const unimplemented = !received && (error as { code?: unknown }).code === status.UNIMPLEMENTED;
      // The stream's status is no answer to any call on it.
      failure = unimplemented ? new SessionUnimplemented() : unanswered(toProviderError(error));
    }
    stream = undefined;
    settleAll(failure);
  };

  const dispatch = (reply: ext.DriverReply): void => {
    const call = open.get(reply.id);
    // A late answer to a call that was given up.
    if (call === undefined) return;
    if (reply.progress !== undefined) {
      const { message, waiting, limited } = reply.progress;
      call.onProgress?.({ message, waiting, ...(limited ? { limited } : {}) });
    } else {
      call.settle(reply.code === status.OK ? reply : failureOf(reply));
    }
  };

  const sendBatch = async (current: Stream, requests: readonly QueuedRequest[]): Promise<void> => {
    try {
      await current.send({ requests: [...requests] });
    } catch (error) {
      // One of them does not fit the contract: the others are sent without it.
      const [only] = requests;
      if (requests.length > 1) for (const request of requests) await sendBatch(current, [request]);
      else if (only !== undefined) open.get(only.id)?.settle(toProviderError(error));
    }
  };

  const sendPriorities = async (current: Stream): Promise<void> => {
    const changed = [...priorities].map(([id, priority]) => ({ id, priority }));
    priorities.clear();
    try {
      await current.send({ priorities: changed });
    } catch {
      // They only save time. Of a stream that has failed the calls learn by themselves.
    }
  };

  const openStream = (): Stream => {
    const opened = openBidiCall(client, ext.DriverSession.method.run);
    void receive(opened);
    return opened;
  };

  const pump = async (): Promise<void> => {
    try {
      while ((queue.length > 0 || priorities.size > 0) && !ended) {
        stream ??= openStream();
        const requests = nextBatch(queue);
        queue = queue.slice(requests.length);
        // A priority comes after the request that it is of.
        if (requests.length > 0) await sendBatch(stream, requests);
        else await sendPriorities(stream);
      }
    } catch (error) {
      // The channel is closed: the plugin is gone.
      settleAll(unanswered(toProviderError(error)));
    } finally {
      pumping = false;
    }
  };

  const wakePump = (): void => {
    if (pumping) return;
    pumping = true;
    setImmediate(() => void pump());
  };
  const enqueue = (request: QueuedRequest): void => {
    queue.push(request);
    wakePump();
  };
  const changePriority = (id: bigint, priority: number): void => {
    priorities.set(id, priority);
    wakePump();
  };

  return {
    call(name, request, options) {
      const { signal, timeoutMs } = options;
      if (signal?.aborted || ended) return Promise.reject(cancelledCall(name));
      // Zero on the wire would mean no bound at all.
      if (timeoutMs <= 0) return Promise.reject(lateCall(name, timeoutMs));
      return new Promise((resolve, reject) => {
        const id = (lastId += 1n);
        const settle = (outcome: ext.DriverReply | Error): void => {
          if (!open.delete(id)) return;
          clearTimeout(timer);
          unwatch?.();
          priorities.delete(id);
          signal?.removeEventListener("abort", onAbort);
          if (outcome instanceof Error) reject(outcome);
          else resolve(outcome);
        };
        const giveUp = (error: ProviderError): void => {
          const waiting = queue.findIndex((queued) => queued.id === id);
          if (waiting >= 0) queue.splice(waiting, 1);
          else enqueue({ id, operation: ext.DriverOperation.CANCEL });
          settle(error);
        };
        const onAbort = (): void => giveUp(cancelledCall(name));
        const timer = setTimeout(() => giveUp(lateCall(name, timeoutMs)), Math.min(timeoutMs, longestTimeoutMs));
        signal?.addEventListener("abort", onAbort, { once: true });
        open.set(id, { name, onProgress: options.onProgress, settle });
        const unwatch = options.watchPriority?.((priority) => changePriority(id, priority));
        enqueue({ ...request, id, timeoutMs: Math.ceil(Math.min(timeoutMs, longestTimeoutMs)) });
      });
    },
    end() {
      ended = true;
      stream?.end();
    },
  };
}

function nextBatch(queue: readonly QueuedRequest[]): QueuedRequest[] {
  let bytes = 0;
  const batch: QueuedRequest[] = [];
  for (const request of queue) {
    bytes += (request.configJson?.byteLength ?? 0) + (request.currentOutputsJson?.byteLength ?? 0);
    if (batch.length > 0 && (batch.length === largestBatch || bytes > largestBatchBytes)) break;
    batch.push(request);
  }
  return batch;
}

function unanswered(error: ProviderError): ProviderError {
  // A class that says "nothing was changed" may be said of one call, not of a stream of them.
  const errorClass = error.definite ? "unknown" : error.class;
  return new ProviderError(errorClass, error.message, { answered: false, cause: error });
}

function failureOf(reply: ext.DriverReply): ProviderError {
  let partial: ReturnType<typeof decodePartial>;
  try {
    partial = decodePartial(reply.partial);
  } catch {
    // The status is the answer, with or without it.
  }
  return providerErrorFromStatus(reply.code, reply.message, {
    answered: true,
    ...(partial === undefined ? {} : { partial }),
    ...(reply.retryAfterMs === 0 ? {} : { retryAfterMs: reply.retryAfterMs }),
  });
}
