import type { Context } from "../context.ts";
import { Interrupted } from "./interrupted.ts";

/** Exit codes by signal. */
const codes = { SIGHUP: 129, SIGINT: 130, SIGTERM: 143 } as const;

/** Times after the first signal, in milliseconds. */
const interruptTimes = {
  /** Calls that still wait for their answer are given up: the engine's grace. */
  giveUpMs: 4000,
  /** Plugins are told to end; two seconds later they are killed. */
  shutdownMs: 4500,
  /** Whatever hangs then does not hold the process: it exits. */
  exitMs: 10_000,
};

export interface Interrupts extends Disposable {
  /** Aborts on the first signal. */
  readonly signal: AbortSignal;
  /** Set after the first signal. */
  readonly exitCode: number | undefined;
  /** How long calls in flight may go on after the first signal, in milliseconds. */
  readonly giveUpMs: number;
  /** Throws `Interrupted` once there was a signal. */
  throwIfInterrupted(): void;
}

/**
 * Watches SIGINT, SIGTERM and SIGHUP. The first aborts `signal`, tells the user, and calls `shutdown` at 4.5 s; the
 * second exits the process at once: intents stay open, plugins are killed with it.
 */
export function watchInterrupts(
  context: Pick<Context, "signals" | "exit" | "env">,
  on: { readonly first: () => void; readonly shutdown: () => void },
): Interrupts {
  const controller = new AbortController();
  const { giveUpMs, shutdownMs, exitMs } = timesOf(context);
  const timers: NodeJS.Timeout[] = [];
  let exitCode: number | undefined;
  const onSignal = (name: keyof typeof codes): void => {
    if (exitCode !== undefined) context.exit(exitCode);
    const code = codes[name];
    exitCode = code;
    on.first();
    controller.abort(new Interrupted("Interrupted", code));
    timers.push(
      setTimeout(on.shutdown, shutdownMs),
      setTimeout(() => context.exit(code), exitMs),
    );
  };
  const handlers = Object.keys(codes).map((name) => {
    const handler = (): void => onSignal(name as keyof typeof codes);
    context.signals.on(name as NodeJS.Signals, handler);
    return [name as NodeJS.Signals, handler] as const;
  });
  return {
    signal: controller.signal,
    giveUpMs,
    get exitCode() {
      return exitCode;
    },
    throwIfInterrupted() {
      if (exitCode !== undefined) throw new Interrupted("Interrupted: nothing was changed", exitCode);
    },
    [Symbol.dispose]() {
      for (const timer of timers) clearTimeout(timer);
      for (const [name, handler] of handlers) context.signals.off(name, handler);
    },
  };
}

/** `WFCTL_TEST_INTERRUPT=GIVEUP,SHUTDOWN,EXIT` in milliseconds, for tests of this repository only: none may wait for a busy machine. */
function timesOf({ env }: Pick<Context, "env">): typeof interruptTimes {
  const [giveUpMs = 0, shutdownMs = 0, exitMs = 0] = (env["WFCTL_TEST_INTERRUPT"] ?? "").split(",").map(Number);
  return giveUpMs > 0 && shutdownMs > giveUpMs && exitMs > shutdownMs
    ? { giveUpMs, shutdownMs, exitMs }
    : interruptTimes;
}
