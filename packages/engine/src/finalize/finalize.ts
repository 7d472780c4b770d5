import type { JournalEvent } from "@wfctl/model";
import { asProviderError } from "../apply/dispatch.ts";
import type { EventSink, Provider } from "../ports/index.ts";

export interface FinalizeError {
  readonly provider: string;
  readonly resource: string;
  readonly action: string;
  readonly error: string;
}

/**
 * Calls the finalizer of each module that is owed one, once. Closes the debt with the answer; a call that failed leaves it open,
 * so that the next writing command calls again.
 */
export async function finalizeOwed(options: {
  readonly run: string;
  readonly planId: string;
  readonly modules: readonly string[];
  readonly providers: ReadonlyMap<string, Provider>;
  readonly signal: AbortSignal;
  readonly commit: (events: readonly JournalEvent[]) => Promise<unknown>;
  readonly emit: EventSink;
  readonly redact: (text: string) => string;
  /** Modules whose plugin was started again: its memory of what to do is gone. */
  readonly restarted: ReadonlySet<string>;
}): Promise<readonly FinalizeError[]> {
  const all = await Promise.all(
    options.modules.map(async (module): Promise<readonly FinalizeError[]> => {
      const provider = options.providers.get(module);
      if (provider === undefined)
        return [
          {
            provider: module,
            resource: "<plan-finalize>",
            action: "finalize",
            error: "its provider is not configured",
          },
        ];
      try {
        if (!provider.features.finalizer) {
          // Told once: a debt that nobody can take would fail each run from now on.
          const error = "its plugin has no finalizer any more: what an earlier run left to it may not be done";
          await options.commit([{ kind: "finalize-done", run: options.run, provider: module, errors: [] }]);
          options.emit({ event: "finalizer", provider: module, errors: [error] });
          return [{ provider: module, resource: "<plan-finalize>", action: "finalize", error }];
        }
        const errors = await provider.finalize(options.planId, {
          timeoutMs: 1_800_000,
          run: options.run,
          signal: options.signal,
        });
        const told = errors.map((error) => ({ provider: module, ...error, error: options.redact(error.error) }));
        if (options.restarted.has(module)) {
          told.push({
            provider: module,
            resource: "<plan-finalize>",
            action: "finalize",
            error: "the plugin was started again in the middle of the run and may not know all of its deferred work",
          });
        }
        // An answer with errors leaves the work undone: it stays owed.
        if (told.length === 0) {
          await options.commit([{ kind: "finalize-done", run: options.run, provider: module, errors: [] }]);
        }
        options.emit({
          event: "finalizer",
          provider: module,
          errors: told.map((error) => `${error.resource}/${error.action}: ${error.error}`),
        });
        return told;
      } catch (thrown) {
        const message = options.redact(asProviderError(thrown).message);
        options.emit({ event: "finalizer", provider: module, errors: [message] });
        return [
          { provider: module, resource: "<plan-finalize>", action: "finalize", error: `plan finalize: ${message}` },
        ];
      }
    }),
  );
  return all.flat();
}
