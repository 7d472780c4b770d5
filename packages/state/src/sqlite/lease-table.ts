import type { DatabaseSync } from "node:sqlite";
import type { LeaseHolder } from "@wfctl/engine";
import { heldError, type LeaseView } from "../lease/lease-view.ts";
import { isHolderAlive } from "../lease/holder.ts";
import { damaged, parseBody, sumOf } from "./checksum.ts";
import { nowMs } from "./schema.ts";

/**
 * Takes the lease in one transaction: when it is free, when its process is proven dead, or when it has not beaten for
 * its expiry by the store's clock. Returns the new fence. Throws `LEASE_HELD` naming the holder.
 */
export function takeLease(db: DatabaseSync, holder: LeaseHolder, expiryMs: number): number {
  db.exec("BEGIN IMMEDIATE");
  try {
    const current = readLease(db);
    if (current.holder !== undefined && current.expiresInMs > 0 && isHolderAlive(current.holder) !== "dead") {
      throw heldError(current);
    }
    const fence = current.fence + 1;
    db.prepare(`UPDATE lease SET fence = ?, holder = ?, beat_ms = ${nowMs}, expiry_ms = ?`).run(
      fence,
      JSON.stringify(holder),
      expiryMs,
    );
    db.exec("COMMIT");
    return fence;
  } catch (error) {
    if (db.isTransaction) db.exec("ROLLBACK");
    throw error;
  }
}

/** False when the lease is not ours any more. */
export function beatLease(db: DatabaseSync, fence: number): boolean {
  const beat = db.prepare(`UPDATE lease SET beat_ms = ${nowMs} WHERE fence = ? AND holder IS NOT NULL`).run(fence);
  return beat.changes !== 0;
}

export function releaseLease(db: DatabaseSync, fence: number): void {
  db.prepare("UPDATE lease SET holder = NULL WHERE fence = ?").run(fence);
}

export function readLease(db: DatabaseSync): LeaseView {
  const row = db.prepare(`SELECT fence, holder, beat_ms, expiry_ms, ${nowMs} AS now FROM lease`).get();
  if (row === undefined) throw damaged("the row of the lease");
  const { fence, holder, beat_ms: beat, expiry_ms: expiry, now } = row as Record<string, number> & { holder: string };
  if (holder === null) return { fence: fence!, holder: undefined, beatAgoMs: 0, expiresInMs: 0 };
  const beatAgoMs = Math.max(0, now! - beat!);
  return {
    fence: fence!,
    holder: parseBody<LeaseHolder>("the holder of the lease", "", holder, sumOf("", holder)),
    beatAgoMs,
    expiresInMs: Math.max(0, expiry! - beatAgoMs),
  };
}

/** Ends a lease by hand: its holder is fenced from its next write on. False when the fence is not the newest. */
export function breakLease(db: DatabaseSync, fence: number): boolean {
  const broken = db.prepare("UPDATE lease SET fence = fence + 1, holder = NULL WHERE fence = ? AND holder IS NOT NULL");
  return broken.run(fence).changes !== 0;
}
