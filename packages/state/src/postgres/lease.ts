import type { LeaseHolder } from "@wfctl/engine";
import { WfctlError } from "@wfctl/model";
import type { Client } from "pg";
import { isHolderAlive } from "../lease/holder.ts";
import { heldError, type LeaseTimes, type LeaseView } from "../lease/lease-view.ts";

interface LeaseRow {
  readonly fence: string;
  readonly holder: string | null;
  readonly writer: string | null;
  readonly ago_ms: string;
  readonly expiry_ms: string;
}

const selectLease = `SELECT fence, holder, writer, expiry_ms,
  ceil(extract(epoch FROM clock_timestamp() - beat_at) * 1000) AS ago_ms FROM wfctl_leases WHERE stack = $1`;

/** By the clock of the database. */
export async function readDatabaseLease(
  client: Client,
  stack: number,
): Promise<LeaseView & { readonly writer: string | null }> {
  const { rows } = await client.query<LeaseRow>(selectLease, [stack]);
  const [row] = rows;
  if (row === undefined) throw new WfctlError("STORE_CORRUPT", "Reading the lease failed: its row is missing");
  const fence = Number(row.fence);
  const { writer } = row;
  if (row.holder === null) return { fence, holder: undefined, writer, beatAgoMs: 0, expiresInMs: 0 };
  const beatAgoMs = Math.max(0, Number(row.ago_ms));
  return {
    fence,
    holder: JSON.parse(row.holder) as LeaseHolder,
    writer,
    beatAgoMs,
    expiresInMs: Math.max(0, Number(row.expiry_ms) - beatAgoMs),
  };
}

const races = 16;

/**
 * Takes the lease when it is free, when its process is proven dead, or when it has not beaten for its expiry. One statement
 * takes it if it is as it was when it was looked at; it waits for the commit that is under way, if there is one. Doing it
 * again with the same `writer` is as doing it once. Returns the new fence. Throws `LEASE_HELD` naming the holder.
 */
export async function takeDatabaseLease(
  client: Client,
  stack: number,
  { holder, writer }: { readonly holder: LeaseHolder; readonly writer: string },
  { expiryMs }: LeaseTimes,
): Promise<number> {
  for (let race = 0; race < races; race += 1) {
    const view = await readDatabaseLease(client, stack);
    if (view.holder !== undefined && view.writer === writer) return view.fence;
    const dead = view.holder !== undefined && isHolderAlive(view.holder) === "dead";
    if (view.holder !== undefined && view.expiresInMs > 0 && !dead) throw heldError(view);
    const { rowCount } = await client.query(
      `WITH seen AS (SELECT stack FROM wfctl_leases WHERE stack = $1 AND fence = $2 AND ($3 OR holder IS NULL
          OR clock_timestamp() >= beat_at + expiry_ms * interval '1 millisecond') FOR UPDATE)
        UPDATE wfctl_leases SET fence = fence + 1, holder = $4, writer = $5,
          beat_at = clock_timestamp(), expiry_ms = $6
        WHERE stack IN (SELECT stack FROM seen)`,
      [stack, view.fence, dead, JSON.stringify(holder), writer, expiryMs],
    );
    if (rowCount === 1) return view.fence + 1;
  }
  throw new WfctlError("LEASE_HELD", "Taking the lease failed: other runs are taking it all the time");
}

/** False when the lease is not ours any more. */
export async function beatDatabaseLease(client: Client, stack: number, fence: number): Promise<boolean> {
  const { rowCount } = await client.query(
    "UPDATE wfctl_leases SET beat_at = clock_timestamp() WHERE stack = $1 AND fence = $2 AND holder IS NOT NULL",
    [stack, fence],
  );
  return rowCount === 1;
}

export async function releaseDatabaseLease(client: Client, stack: number, fence: number): Promise<void> {
  await client.query("UPDATE wfctl_leases SET holder = NULL WHERE stack = $1 AND fence = $2", [stack, fence]);
}

/** Ends a lease by hand: its holder is fenced from its next write on. False when the fence is not the one that is held. */
export async function breakDatabaseLease(client: Client, stack: number, fence: number): Promise<boolean> {
  const { rowCount } = await client.query(
    `WITH seen AS (SELECT stack FROM wfctl_leases WHERE stack = $1 AND fence = $2 AND holder IS NOT NULL FOR UPDATE)
      UPDATE wfctl_leases SET fence = fence + 1, holder = NULL WHERE stack IN (SELECT stack FROM seen)`,
    [stack, fence],
  );
  return rowCount === 1;
}
