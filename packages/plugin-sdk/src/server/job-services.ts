import { create } from "@bufbuild/protobuf";
import { iac, jobStates, type ServiceHandlers } from "@wfctl/contract";
import type { CallContext } from "../author/context.ts";
import type { JobHandle, LogChunk } from "../author/define-provider.ts";
import type { Caller } from "../calls/call.ts";
import { answerStream, answerUnary } from "./rpc.ts";
import type { Runtime } from "./runtime.ts";

export function logService(runtime: Runtime): ServiceHandlers<typeof iac.IaCProviderLogCapture> {
  return {
    captureLogs: answerStream(runtime, (request, caller) =>
      streamLogs(runtime, caller, (context) => runtime.provider.captureLogs!(request, context)),
    ),
  };
}

export function jobService(runtime: Runtime): ServiceHandlers<typeof iac.IaCProviderRunner> {
  const { operations, provider } = runtime;
  return {
    runJob: answerUnary(runtime, async (request, caller) => {
      const handle = await operations.withContext(caller, async (context) => provider.jobs!.run(request, context));
      return { message: handleMessage(runtime, handle) };
    }),
    jobStatus: answerUnary(runtime, async (request, caller) => {
      const status = await operations.withContext(caller, async (context) => provider.jobs!.status(request, context));
      const message = create(iac.JobStatusReplySchema, {
        handle: handleMessage(runtime, request),
        state: jobStates.toWire(status.state),
        exitCode: status.exitCode ?? 0,
        message: status.message ?? "",
      });
      return { message };
    }),
    jobLogs: answerStream(runtime, (request, caller) =>
      streamLogs(runtime, caller, (context) => provider.jobs!.logs(request, context)),
    ),
  };
}

function handleMessage(runtime: Runtime, handle: JobHandle): iac.JobHandle {
  const { id, name, metadata } = handle;
  return create(iac.JobHandleSchema, { id, name, provider: runtime.provider.name, metadata: { ...metadata } });
}

/** How long a log can be followed by a host that sets no deadline. */
const maxFollowMs = 86_400_000;

/** Chunks as they come; the provider's work ends when the host leaves. */
async function* streamLogs(
  runtime: Runtime,
  caller: Caller,
  open: (context: CallContext<unknown>) => AsyncIterable<LogChunk>,
): AsyncGenerator<iac.LogChunk> {
  const waiting: iac.LogChunk[] = [];
  let wake = Promise.withResolvers<void>();
  let done = false;
  // The context lives as long as its callback: the chunks pass through a queue of one turn.
  const reading = runtime.operations
    .withContext(
      caller,
      async (context) => {
        for await (const { data, source, eof } of open(context)) {
          waiting.push(create(iac.LogChunkSchema, { data, source: source ?? "", eof: eof ?? false }));
          wake.resolve();
          if (context.signal.aborted) return;
        }
      },
      maxFollowMs,
    )
    .finally(() => {
      done = true;
      wake.resolve();
    });
  reading.catch(() => {});
  for (;;) {
    const chunk = waiting.shift();
    if (chunk !== undefined) {
      yield chunk;
      continue;
    }
    if (done) break;
    await wake.promise;
    wake = Promise.withResolvers();
  }
  await reading;
}
