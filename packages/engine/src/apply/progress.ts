import type { CallOptions } from "../ports/index.ts";
import type { Call } from "./intent.ts";
import type { Run } from "./run.ts";

/** People see a line at least this often while a call goes on. */
const everyMs = 10_000;

/** Passes on what a driver says while it works, gives its slot back while it only waits, and shows signs of life without it. */
export function reportProgress(
  run: Run,
  call: Call,
): { readonly report: NonNullable<CallOptions["onProgress"]>; readonly end: () => void } {
  const { clock, emit } = run.deps;
  const sentAt = clock.now();
  const over = new AbortController();
  let message = "";
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
      call.slot.waiting(progress.waiting);
      message = run.secrets.redact(progress.message);
      tell();
    },
    end() {
      over.abort();
      call.slot.waiting(false);
    },
  };
}
