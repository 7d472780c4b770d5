import type { LeaseHolder } from "@wfctl/engine";
import { WfctlError } from "@wfctl/model";

/** The lease as the store tells it. */
export interface LeaseView {
  /** Its id for `state lease break`. */
  readonly fence: number;
  /** Undefined when nobody holds it. */
  readonly holder: LeaseHolder | undefined;
  /** Since the last heartbeat, by the store's clock. */
  readonly beatAgoMs: number;
  /** Until others may take it; 0 when they may already. */
  readonly expiresInMs: number;
}

/** Times of a lease in milliseconds. Others only in tests. */
export interface LeaseTimes {
  /** @default 5000 */
  readonly beatMs: number;
  /** @default 30000 */
  readonly expiryMs: number;
}

export const defaultLeaseTimes: LeaseTimes = { beatMs: 5000, expiryMs: 30_000 };

export function heldError(lease: LeaseView): WfctlError {
  const { host, pid, command, user, since } = lease.holder!;
  const seconds = Math.ceil(lease.expiresInMs / 1000);
  return new WfctlError(
    "LEASE_HELD",
    `Taking the lease failed: '${command}' holds it since ${since} (${user}@${host}, process ${pid})`,
    {
      hint: `Wait for it to end. Its lease runs out in ${seconds} s unless it beats; lease id ${lease.fence}`,
    },
  );
}

export function lostError(doing = "Commit to the state"): WfctlError {
  return new WfctlError("LEASE_LOST", `${doing} failed: the lease was taken over by another run`, {
    hint: "See who has it: wfctl state lease show",
  });
}
