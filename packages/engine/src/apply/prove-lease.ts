import { WfctlError } from "@wfctl/model";
import type { Clock } from "../ports/index.ts";

/** A commit proves the lease at its own time only. Well below the expiry of leases, beats included. */
const provenForMs = 10_000;
const maxProofs = 3;

/**
 * Makes a commit, and another one without events as long as the proof that it gives is old when it comes: a process that
 * was stopped and continued in between may find that others have taken over meanwhile and settled what it was about to
 * send. Resolves only when the lease was held a moment ago. Throws what the commit throws; `STORE_UNAVAILABLE` where
 * the store is too slow to prove anything.
 */
export async function proveLease(
  clock: Pick<Clock, "now">,
  first: () => Promise<unknown>,
  again: () => Promise<unknown>,
): Promise<void> {
  for (let proof = 0; proof < maxProofs; proof += 1) {
    const beganMs = clock.now();
    await (proof === 0 ? first() : again());
    if (clock.now() - beganMs <= provenForMs) return;
  }
  throw new WfctlError(
    "STORE_UNAVAILABLE",
    `The state takes longer than ${provenForMs / 1000} s to confirm that the lease is still held`,
    { hint: "Nothing was sent; look at the store, then run the command again" },
  );
}
