import { toProviderError } from "@wfctl/contract";
import type { CallOptions, Clock, LiveObject, Ref } from "@wfctl/engine";
import { ProviderError } from "@wfctl/model";

import { cancelledCall, type Drivers } from "./drivers.ts";

export interface CarefulOptions {
  readonly clock: Clock;
  /** True for the types whose answers are known to be true: the plugin declares them by our extensions. */
  readonly declares: (type: string) => boolean;
}

/** Between the two Reads that it takes to believe that an object is gone. */
const secondLookMs = 250;
/** How long a cloud may show an object whose delete is confirmed. */
const settleMs = 30_000;
/** Statuses of an object that is on its way out: its delete has begun. */
const going = /delet|terminat|destroy|remov/i;

/**
 * Drivers whose answers are looked at twice where believing a wrong one loses an object or makes another:
 *
 * - an object with an id is gone once two Reads in a row do not find it;
 * - a delete of a type that the plugin does not declare has succeeded once a Read finds the object gone or going. Where
 *   it stays for half a minute, the delete fails with class `bad_reply`;
 * - an id that an update changed counts where a Read finds this very object under it, else the update fails with class
 *   `bad_reply`.
 */
export function createCarefulDrivers(drivers: Drivers, options: CarefulOptions): Drivers {
  const { clock, declares } = options;

  const confirmGone = async (ref: Ref, left: () => CallOptions): Promise<void> => {
    const until = clock.now() + settleMs;
    for (let waitMs = 500; ; waitMs = Math.min(waitMs * 2, 5_000)) {
      let found: LiveObject | undefined;
      try {
        found = await drivers.read(ref, left());
      } catch {
        // What it said of the delete is all that it says.
        return;
      }
      if (found === undefined || going.test(found.status) || !isAbout(found, ref)) return;
      if (clock.now() + waitMs > until || waitMs > left().timeoutMs) {
        const message = `Delete left "${ref.name}" where it is: Read still finds the object (id ${ref.providerId})`;
        throw new ProviderError("bad_reply", message, { answered: true });
      }
      await pause(clock, waitMs, left(), "Delete");
    }
  };

  return {
    ...drivers,
    async read(ref, callOptions) {
      const left = countdown(clock, callOptions);
      const found = await drivers.read(ref, callOptions);
      if (found !== undefined || ref.providerId === "" || left().timeoutMs <= secondLookMs) return found;
      await pause(clock, secondLookMs, callOptions, "Read");
      return await drivers.read(ref, left());
    },
    async update(ref, spec, callOptions) {
      const left = countdown(clock, callOptions);
      const updated = await drivers.update(ref, spec, callOptions);
      const { providerId } = updated;
      if (providerId === "" || ref.providerId === "" || providerId === ref.providerId) return updated;
      const why = await doubtId(() => drivers.read({ ...ref, providerId }, left()), { ...ref, providerId });
      if (why === undefined) return updated;
      const message = `Update of "${ref.name}" (id ${ref.providerId}) was answered with the id ${providerId}: ${why}`;
      throw new ProviderError("bad_reply", message, { answered: true });
    },
    async delete(ref, callOptions) {
      const left = countdown(clock, callOptions);
      await drivers.delete(ref, callOptions);
      if (ref.providerId !== "" && !declares(ref.type)) await confirmGone(ref, left);
    },
  };
}

/** Why there is no such object under the id; undefined where there is. */
async function doubtId(read: () => Promise<LiveObject | undefined>, ref: Ref): Promise<string | undefined> {
  try {
    const found = await read();
    if (found === undefined) return "Read finds no such object";
    return isAbout(found, ref) ? undefined : "Read finds another object under it";
  } catch (thrown) {
    return `Read fails there: ${toProviderError(thrown).message}`;
  }
}

/** What a reply leaves out says nothing. */
function isAbout(object: LiveObject, ref: Ref): boolean {
  const agrees = (told: string, wanted: string): boolean => told === "" || told === wanted;
  return agrees(object.providerId, ref.providerId) && agrees(object.name, ref.name) && agrees(object.type, ref.type);
}

/** The options for what is asked within the time of one call. */
function countdown(clock: Clock, options: CallOptions): () => CallOptions {
  const deadline = clock.now() + options.timeoutMs;
  return () => ({ ...options, timeoutMs: Math.max(1, deadline - clock.now()) });
}

async function pause(clock: Clock, ms: number, { signal }: CallOptions, call: string): Promise<void> {
  try {
    await clock.sleep(ms, signal);
  } catch {
    throw cancelledCall(call);
  }
}
