import type { CallContext } from "./context.ts";
import { ProviderFailure } from "./failure.ts";

export interface WaitOptions<Value> {
  /** The awaited thing, or undefined while it is not there. What it throws ends the wait. */
  check: () => Promise<Value | undefined>;
  /** Pause between two checks, in milliseconds; as a function, of how many were made. */
  everyMs: number | ((checks: number) => number);
  /** Ends the wait with a `deadline` failure. The call's own deadline may come first. */
  timeoutMs: number;
  /** What is awaited, for the progress report and for the failure: "database orders to be available". */
  describe: string | (() => string);
}

/**
 * Polls until `check` gives a value, reporting to the host that it only waits, so that the wait holds no slot.
 * When the run is stopped, or at the time limit, it throws a failure, and the answer carries what `context.partial`
 * was told: the host records an incomplete object instead of losing it. Call `context.partial` before you wait.
 */
export async function waitFor<Value>(context: CallContext<unknown>, options: WaitOptions<Value>): Promise<Value> {
  const describe = (): string => (typeof options.describe === "string" ? options.describe : options.describe());
  const started = context.clock.now();
  let reported = "";
  for (let checks = 1; ; checks += 1) {
    context.signal.throwIfAborted();
    const value = await options.check();
    if (value !== undefined) {
      if (reported !== "") context.progress(`Got ${describe()}`);
      return value;
    }
    if (context.stopping.aborted) throw stopped(describe());
    const left = started + options.timeoutMs - context.clock.now();
    if (left <= 0) {
      throw new ProviderFailure("deadline", `Waited ${options.timeoutMs / 1000} s in vain for ${describe()}`);
    }
    if (describe() !== reported) {
      reported = describe();
      context.progress(`Waiting for ${reported}`, { waiting: true });
    }
    const pause = typeof options.everyMs === "number" ? options.everyMs : options.everyMs(checks);
    // A stop in the pause leads to one last check: the answer may be there.
    await context.sleep(Math.min(pause, left)).catch((error: unknown) => {
      if (!context.stopping.aborted || context.signal.aborted) throw error;
    });
  }
}

/** The failure of a call that gave up its wait because the run was stopped. */
export function stopped(what: string): ProviderFailure {
  return new ProviderFailure("cancelled", `The run was stopped while the provider waited for ${what}`);
}
