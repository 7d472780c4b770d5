import { setTimeout as sleep } from "node:timers/promises";

import { toProviderError } from "@wfctl/contract";

const maxAttempts = 5;
const firstDelayMs = 500;

/**
 * A question beside the engine's calls, which has retries of its own: asked again where the plugin answers that it is
 * throttled or not ready, until shortly before the deadline (milliseconds since 1970). Rejects with the last error.
 */
export async function askPatiently<T>(send: () => Promise<T>, deadline: number): Promise<T> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await send();
    } catch (thrown) {
      const { class: errorClass, answered, retryAfterMs = 0 } = toProviderError(thrown);
      const isPassing = answered && (errorClass === "rate_limited" || errorClass === "transient");
      const delayMs = Math.max(retryAfterMs, firstDelayMs * 2 ** (attempt - 1));
      if (!isPassing || attempt === maxAttempts || Date.now() + delayMs >= deadline) throw thrown;
      await sleep(delayMs);
    }
  }
}
