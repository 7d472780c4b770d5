import { toProviderError } from "@wfctl/contract";
import { ProviderError } from "@wfctl/model";

import { within } from "./connection.ts";
import { exitNoticeMs, plainConnectError, type LoadSubject } from "./load-failure.ts";

/** The socket is gone, or nobody is behind it. */
const nobodyListens = /\bconnect (?:ENOENT|ECONNREFUSED)\b/;
/** How long a killed process may take to be gone. */
const killedMs = 10_000;

/**
 * Why a driver call failed. A call that lost its answer because the process ended is of class `plugin_exit`,
 * also where it only stopped to listen: it is killed then.
 * Secrets of the configuration are hidden in the text.
 */
export async function callFailure(
  thrown: unknown,
  { title, child, redact }: LoadSubject,
  signal: AbortSignal | undefined,
): Promise<ProviderError> {
  const error = toProviderError(thrown);
  const givenUp = error.class === "deadline" || signal?.aborted === true;
  if (!error.answered && !error.definite && !givenUp) {
    // The end of the process is told after the end of its connection.
    if (error.class !== "bad_reply") await within(child.exited, exitNoticeMs);
    if (child.exit !== undefined) {
      const message = `Plugin ${title} ${await child.describeExit()}; the call was not answered`;
      return new ProviderError("plugin_exit", message, { answered: false, cause: thrown });
    }
    if (nobodyListens.test(error.message)) {
      // It serves nobody any more: the next call starts another.
      child.kill();
      await within(child.exited, killedMs);
      const message = `Plugin ${title} ran on and listened no more, so it was ended; the call was not answered`;
      return new ProviderError("plugin_exit", message, { answered: false, cause: thrown });
    }
  }
  if (error.class === "cancelled" && !error.answered && signal?.aborted !== true) {
    // Nobody gave the call up: the plugin closed the connection under it.
    const message = `The connection to plugin ${title} was lost before it answered`;
    return new ProviderError("transient", message, { answered: false, cause: thrown });
  }
  const message = tooLong(error, title) ?? redact(error.answered ? error.message : plainConnectError(error.message));
  if (message === error.message) return error;
  return new ProviderError(error.class, message, {
    answered: error.answered,
    ...(error.retryAfterMs === undefined ? {} : { retryAfterMs: error.retryAfterMs }),
    ...(error.partial === undefined ? {} : { partial: error.partial }),
  });
}

/** Servers of Go refuse a request over four mebibytes, in words that say neither who nor what. */
function tooLong({ answered, class: errorClass, message }: ProviderError, title: string): string | undefined {
  if (!answered || errorClass !== "validation") return undefined;
  const sizes = /larger than max \((\d+) vs\.? (\d+)\)/.exec(message);
  if (sizes === null) return undefined;
  return `Plugin ${title} takes requests of at most ${sizes[2]} bytes and this one has ${sizes[1]}: the resource's configuration and outputs are too long for it`;
}
