import type { CallOptions } from "../ports/index.ts";
import type { Call } from "./intent.ts";
import type { Run } from "./run.ts";

/**
 * Passes on what a driver says while it works, gives its slot back while it only waits, and shows signs of life without it.
 * `busyMs` is the time since then without the waits for the provider's own rate limit.
 */
export function reportProgress(
  run: Run,
  call: Call,
): {
  readonly report: NonNullable<CallOptions["onProgress"]>;
  readonly end: () => void;
  readonly busyMs: () => number;
} {
  const { clock, emit } = run.deps;
  const sentAt = clock.now();
  let isOver = false;
  let message = "";
  let limitedMs = 0;
  let limitedSince: number | undefined;
  const tell = (): void =>
    emit({
      event: "action-progress",
      action: call.action.index,
      name: call.action.name,
      message,
      elapsedMs: clock.now() - sentAt,
    });
  const stop = run.beats(tell);
  return {
    report(progress) {
      if (isOver) return;
      const now = clock.now();
      if (limitedSince !== undefined) limitedMs += now - limitedSince;
      limitedSince = progress.limited === true ? now : undefined;
      call.slot.waiting(progress.waiting);
      message = run.secrets.redact(progress.message);
      tell();
    },
    end() {
      isOver = true;
      stop();
      call.slot.waiting(false);
    },
    busyMs: () => clock.now() - sentAt - limitedMs,
  };
}
