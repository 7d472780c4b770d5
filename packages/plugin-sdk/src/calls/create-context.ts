import { randomUUID } from "node:crypto";
import { ProviderError, type JsonObject } from "@wfctl/model";
import type { Clock } from "../author/clock.ts";
import type { CallContext } from "../author/context.ts";
import { ProviderFailure } from "../author/failure.ts";
import type { Log } from "../author/log.ts";
import { stopped } from "../author/wait-for.ts";
import type { Caller } from "./call.ts";
import type { Instance } from "./instances.ts";

export interface OpenCall {
  readonly context: CallContext<unknown>;
  /** What the handler said it has made. */
  partial(): { providerId: string; outputs: JsonObject } | undefined;
  /** Ends the deadline's timer. */
  end(): void;
}

/** Part of the time left that is kept for the answer's way back. */
function answerReserveMs(leftMs: number): number {
  return Math.min(1000, Math.floor(leftMs / 10));
}

/** Waits shorter than this are not worth a report. */
const reportedWaitMs = 50;

export function openCall(
  instance: Instance,
  caller: Caller,
  environment: { clock: Clock; log: Log; stopping: AbortSignal; defaultTimeoutMs: number },
): OpenCall {
  const { clock, log, stopping } = environment;
  const now = clock.now();
  const deadline = caller.deadline ?? now + environment.defaultTimeoutMs;
  const left = Math.max(0, deadline - now);
  const timeout = new AbortController();
  const timer = setTimeout(
    () =>
      timeout.abort(
        new ProviderFailure("deadline", "The call's deadline was reached before the provider had finished"),
      ),
    Math.min(left - answerReserveMs(left), 2 ** 31 - 1),
  );
  timer.unref();
  const signal = AbortSignal.any([caller.signal, timeout.signal]);
  let partial: { providerId: string; outputs: JsonObject } | undefined;

  const context: CallContext<unknown> = {
    client: instance.client,
    signal,
    stopping,
    deadline,
    run: caller.run,
    clientToken: caller.clientToken === "" ? randomUUID() : caller.clientToken,
    owner: caller.owner === "" ? undefined : caller.owner,
    log,
    clock,
    progress(message, { waiting = false } = {}) {
      if (!signal.aborted) caller.onProgress(message, waiting);
    },
    async sleep(ms) {
      if (stopping.aborted && !signal.aborted) throw stopped("some time to pass");
      try {
        await clock.sleep(ms, AbortSignal.any([signal, stopping]));
      } catch (error) {
        if (signal.aborted || !stopping.aborted) throw error;
        throw stopped("some time to pass");
      }
    },
    async limit(family, call) {
      const limiter = instance.limiter(family);
      if (limiter === undefined) return call();
      let reported = false;
      await limiter.acquire({
        signal,
        priority: () => caller.priority,
        onWait: (expectedMs) => {
          if (expectedMs < reportedWaitMs) return;
          reported = true;
          caller.onProgress(`Waiting for the rate limit of ${family}`, true, true);
        },
      });
      if (reported) context.progress(`Calling ${family}`);
      try {
        return await call();
      } catch (error) {
        if (error instanceof ProviderError && error.class === "rate_limited") limiter.throttled(error.retryAfterMs);
        throw error;
      }
    },
    partial(providerId, outputs = {}) {
      partial = { providerId, outputs };
    },
  };
  return { context, partial: () => partial, end: () => clearTimeout(timer) };
}
