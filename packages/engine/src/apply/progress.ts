import type { CallOptions } from "../ports/index.ts";
import type { Call } from "./intent.ts";
import type { Run } from "./run.ts";

/** People see a line at least this often while a call goes on. */
const everyMs = 10_000;

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
  const over = new AbortController();
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
  const beat = (): void => {
    clock.sleep(everyMs, over.signal).then(
      () => {
        tell();
        beat();
      },
      () => undefined,
    );
  };
  beat();
  return {
    report(progress) {
      if (over.signal.aborted) return;
      const now = clock.now();
      if (limitedSince !== undefined) limitedMs += now - limitedSince;
      limitedSince = progress.limited === true ? now : undefined;
      call.slot.waiting(progress.waiting);
      message = run.secrets.redact(progress.message);
      tell();
    },
    end() {
      over.abort();
      call.slot.waiting(false);
    },
    busyMs: () => clock.now() - sentAt - limitedMs,
  };
}
