import type { CallOptions, Clock } from "@wfctl/engine";
import { ProviderError, type JsonObject } from "@wfctl/model";
import type { CallOperation, Fault, FaultSource } from "./faults.ts";
import { createPluginProcess, type PluginProcess } from "./plugin-process.ts";

export interface CallRunnerOptions {
  readonly clock: Clock;
  readonly provider: string;
  readonly ours: boolean;
  readonly ownLimits: boolean;
  readonly faults?: FaultSource;
  readonly latencyMs?: number | ((operation: CallOperation, name: string) => number);
  readonly survivesCrash?: (operation: CallOperation, name: string) => boolean;
  /** Milliseconds to wait where the cloud throttles the call. */
  readonly throttle: () => number | undefined;
  /** How often each call was made, by whatever process: faults are scripted by it. */
  readonly counts: Map<string, number>;
}

/** What one call does to the cloud, and how it answers. */
export interface CallWork<Effect, Answer> {
  effect(partial: boolean): Effect;
  answer(effect: Effect): Answer;
  /** False while the driver has to wait for the cloud. @default always ready */
  ready?(effect: Effect): boolean;
  /** Configuration that the call was given: `{secret}` in a fault's message becomes its key \`secret\`. */
  readonly given?: JsonObject;
  /** Id of what a call that gives up has made. */
  partialId?(effect: Effect): string;
}

export interface CallRunner {
  run<Effect, Answer>(
    call: { readonly operation: CallOperation; readonly type: string; readonly name: string },
    options: CallOptions,
    work: CallWork<Effect, Answer>,
  ): Promise<Answer>;
  /** The process that serves the next call. */
  process(): PluginProcess;
  gone(): boolean;
  restarts(): number;
  crash(): void;
}

const maxRestarts = 3;
const pollMs = 100;

/** Carries calls through a plugin process that may be slow, wrong or dead. */
export function createCallRunner(options: CallRunnerOptions): CallRunner {
  const { clock, counts } = options;
  let current = createPluginProcess(options.provider);
  let restarts = 0;

  const enter = (): PluginProcess => {
    if (current.alive) return current;
    if (restarts >= maxRestarts) throw exited("and was started too often");
    restarts += 1;
    current = createPluginProcess(options.provider);
    return current;
  };
  const exited = (why: string): ProviderError =>
    new ProviderError("plugin_exit", `Plugin ${options.provider} exited ${why}`, { answered: false });

  const perform = async <Effect, Answer>(
    process: PluginProcess,
    call: { readonly operation: CallOperation; readonly type: string; readonly name: string },
    callOptions: CallOptions,
    work: CallWork<Effect, Answer>,
    fault: Fault | undefined,
  ): Promise<Answer> => {
    const { goes } = fault ?? {};
    const latency = options.latencyMs ?? 10;
    const beforeMs = fault?.beforeMs ?? (typeof latency === "function" ? latency(call.operation, call.name) : latency);
    const waits = beforeMs + (fault?.afterMs ?? 0) >= 1000 && options.ownLimits;
    if (waits) callOptions.onProgress?.({ message: `waiting for ${call.name}`, waiting: true });
    if (beforeMs > 0) await clock.sleep(beforeMs);
    const late = (lateMs: number): void => {
      void clock.sleep(lateMs).then(() => attempt(() => work.effect(false)));
    };
    if (!process.alive) {
      // The request may have left before the process died.
      if (call.operation !== "read" && options.survivesCrash?.(call.operation, call.name) === true)
        attempt(() => work.effect(false));
      throw exited("in the middle of a call");
    }
    if (goes?.wrong === "crash") {
      if (goes.when === "after") attempt(() => work.effect(false));
      if (goes.when === "late") late(goes.lateMs);
      process.die();
      throw exited("in the middle of a call");
    }
    if (goes?.wrong === "hang") return new Promise<never>(() => undefined);
    if (goes?.wrong === "late") {
      late(goes.lateMs);
      throw new ProviderError(goes.class, "the connection was reset", { answered: goes.class !== "deadline" });
    }
    if (goes?.wrong === "refused") {
      throw new ProviderError(goes.class, told(goes.message, work) ?? `${call.operation} was refused`, goes);
    }
    const retryAfterMs = call.operation === "diff" || call.operation === "sizing" ? undefined : options.throttle();
    if (retryAfterMs !== undefined) throw new ProviderError("rate_limited", "too many requests", { retryAfterMs });
    const effect = work.effect(goes?.wrong === "partial");
    if (goes?.wrong === "partial" || goes?.wrong === "lost") {
      throw new ProviderError(goes.class, told(goes.message, work) ?? "the connection was reset", {
        ...goes,
        ...(goes.wrong === "partial" && options.ours && work.partialId !== undefined
          ? { partial: { providerId: work.partialId(effect), outputs: {} } }
          : {}),
      });
    }
    if (fault?.afterMs !== undefined) await clock.sleep(fault.afterMs);
    await waitUntilReady(process, callOptions, work, effect);
    if (waits) callOptions.onProgress?.({ message: `done with ${call.name}`, waiting: false });
    const answer = work.answer(effect);
    return goes?.wrong === "reply" ? (goes.change(answer as never) as Answer) : answer;
  };

  const waitUntilReady = async <Effect>(
    process: PluginProcess,
    callOptions: CallOptions,
    work: CallWork<Effect, unknown>,
    effect: Effect,
  ): Promise<void> => {
    if (work.ready === undefined || work.ready(effect)) return;
    let stop: (() => void) | undefined;
    const stopped = new Promise<void>((resolve) => (stop = resolve));
    const off = process.onStop(callOptions.run, () => stop?.());
    try {
      if (options.ownLimits) callOptions.onProgress?.({ message: "waiting for the cloud", waiting: true });
      while (!work.ready(effect)) {
        if (options.ours && process.stopping.has(callOptions.run)) {
          const made =
            work.partialId === undefined ? {} : { partial: { providerId: work.partialId(effect), outputs: {} } };
          throw new ProviderError("cancelled", "the run was stopped while the driver waited", made);
        }
        await Promise.race([clock.sleep(pollMs), stopped]);
        if (!process.alive) throw exited("in the middle of a call");
      }
    } finally {
      off();
    }
  };

  return {
    async run(call, callOptions, work) {
      if (callOptions.signal?.aborted === true) throw cancelled();
      const process = enter();
      const key = `${call.operation}\n${call.type}\n${call.name}`;
      const nth = (counts.get(key) ?? 0) + 1;
      counts.set(key, nth);
      const fault = options.faults?.({ provider: options.provider, ...call, nth });
      const performed = perform(process, call, callOptions, work, fault);
      return bounded(performed, process, callOptions, clock, fault?.goes?.wrong === "hang");
    },
    process: enter,
    gone: () => !current.alive,
    restarts: () => restarts,
    crash: () => current.die(),
  };
}

function told(message: string | undefined, work: { readonly given?: JsonObject }): string | undefined {
  const secret = work.given?.["secret"];
  return message?.replace("{secret}", typeof secret === "string" ? secret : "nothing to hide");
}

/** The host's side of a call: it ends with the answer, the process, the signal or the deadline. */
async function bounded<Answer>(
  performed: Promise<Answer>,
  process: PluginProcess,
  callOptions: CallOptions,
  clock: Clock,
  hangs: boolean,
): Promise<Answer> {
  performed.catch(() => undefined);
  const over = new AbortController();
  const racers: Promise<Answer>[] = [performed, process.exit];
  const { signal } = callOptions;
  let onAbort: (() => void) | undefined;
  if (signal !== undefined) {
    racers.push(
      new Promise<never>((_, reject) => {
        onAbort = () => reject(cancelled());
        signal.addEventListener("abort", onAbort, { once: true });
      }),
    );
  }
  // A deadline costs a sleeper, so only calls that can reach it get one.
  if (hangs || callOptions.timeoutMs < 120_000) {
    racers.push(
      clock.sleep(callOptions.timeoutMs, over.signal).then(
        () => Promise.reject(new ProviderError("deadline", "no answer in time", { answered: false })),
        () => new Promise<never>(() => undefined),
      ),
    );
  }
  try {
    return await Promise.race(racers);
  } finally {
    over.abort();
    if (onAbort !== undefined) signal?.removeEventListener("abort", onAbort);
  }
}

function cancelled(): ProviderError {
  return new ProviderError("cancelled", "the call was cancelled", { answered: false });
}

/** An effect that nobody waits for: what it throws has no one to go to. */
function attempt(effect: () => unknown): void {
  try {
    effect();
  } catch {
    // The cloud refused it.
  }
}
