import { randomUUID } from "node:crypto";
import { WfctlError } from "@wfctl/model";
import type { RunDraft } from "../draft.ts";
import { defaultLeaseTimes, type LeaseTimes } from "../lease/lease-view.ts";
import { createResealing, dropping, type RekeyRequest, type Rewriting } from "../rekey/rewriting.ts";
import { addDataKey, createKeyMeta, createSealer, type KeyMeta } from "../sealing/sealer.ts";
import type { Bucket } from "./bucket.ts";
import { takeLogLease } from "./log-lease.ts";
import type { LogState } from "./log-state.ts";
import { metaKey, readLogMeta, type LogMeta } from "./meta.ts";
import { putSegment } from "./put-segment.ts";
import { bringBack } from "./read-log.ts";
import { defaultRetryTimes, repeat, type RetryTimes } from "./retry.ts";
import { encodeObject, numberOf, runPrefix, segmentPrefix, snapshotKey, snapshotPrefix } from "./segment.ts";
import { createSnapshotter } from "./snapshotter.ts";
import { startLogBeats } from "./start-log-beats.ts";

/**
 * Changes the key of a log, under its lease, in steps of which each leaves a state that one key opens:
 * first `meta` names the new key, and the data keys of old as well; then a snapshot and the closed runs are written anew
 * under the new data key, and all that holds old ciphertext is deleted; last `meta` names the new data key alone.
 * Without the old key the snapshot without secrets comes first, and `meta` after it.
 */
export async function rekeyLog(
  bucket: Bucket,
  request: RekeyRequest,
  options: { readonly lease?: Partial<LeaseTimes>; readonly retry?: Partial<RetryTimes> } = {},
): Promise<void> {
  const retry = { ...defaultRetryTimes, ...options.retry };
  const times = { ...defaultLeaseTimes, ...options.lease };
  const { newKey, oldKey, holder } = request;
  const first = await requireMeta(bucket);
  const { lineage } = first;
  if (oldKey !== undefined) createSealer(oldKey, lineage, first.keys);
  const writerId = randomUUID();
  const newId = (): string => `${writerId}.${randomUUID()}`;
  const state = await takeLogLease(bucket, lineage, holder, { newId, times, retry });
  let lost: WfctlError | undefined;
  const { fence } = state;
  const beats = startLogBeats(bucket, { fence, writerId, next: state.last + 1, times }, (error) => (lost = error));
  const writeMeta = async (keys: KeyMeta): Promise<void> => {
    if (lost !== undefined) throw lost;
    const bytes = encodeObject({ ...first, keys } satisfies LogMeta);
    await repeat(`Writing the keys of '${bucket.location}'`, retry, () => bucket.put(metaKey, bytes));
  };
  try {
    // Taken after another had changed it: the key that was given is no longer the one.
    const meta = await requireMeta(bucket);
    const both = addKeys(request, lineage, meta.keys);
    const fresh: KeyMeta = { check: both.check, dataKeys: both.dataKeys.slice(-1) };
    await bringBack(bucket, state, [...state.closed.values()]);
    if (oldKey === undefined) rewriteState(state, dropping);
    else {
      await writeMeta(both);
      rewriteState(
        state,
        createResealing(createSealer(oldKey, lineage, meta.keys), createSealer(newKey, lineage, fresh)),
      );
    }
    if (lost !== undefined) throw lost;
    await repeat(`Writing the state to '${bucket.location}'`, retry, () => createSnapshotter(bucket, 0).take(state));
    await deleteOlder(bucket, state);
    await writeMeta(fresh);
  } finally {
    beats.stop();
    const released = { id: newId(), fence, kind: "lease-released" } as const;
    // A lease that cannot be given back runs out.
    if (lost === undefined) await putSegment(bucket, state.last + 1, released, retry).catch(() => undefined);
  }
}

/** The new data key last, behind those in use where these can be opened. */
function addKeys({ oldKey, newKey }: RekeyRequest, lineage: string, keys: KeyMeta): KeyMeta {
  return oldKey === undefined ? createKeyMeta(newKey, lineage) : addDataKey(oldKey, newKey, lineage, keys);
}

async function requireMeta(bucket: Bucket): Promise<LogMeta> {
  const meta = await readLogMeta(bucket);
  if (meta !== undefined) return meta;
  throw new WfctlError("STORE_UNAVAILABLE", `Opening the state in '${bucket.location}' failed: there is none`);
}

/** Record by record, in the state that was read under the lease. */
function rewriteState({ draft }: LogState, rewriting: Rewriting): void {
  for (const [name, record] of draft.records) draft.records.set(name, rewriting.record(record));
  for (const [key, { intent, why }] of draft.unknown) draft.unknown.set(key, { intent: rewriting.intent(intent), why });
  for (const [provider, { name, config }] of draft.providerConfigs) {
    const rewritten = rewriting.config(provider, config);
    if (rewritten === undefined) draft.providerConfigs.delete(provider);
    else draft.providerConfigs.set(provider, { name, config: rewritten });
  }
  for (const run of [...draft.openRuns.values(), ...draft.history!.values()]) rewriteRun(run, rewriting);
  draft.serial += 1;
}

function rewriteRun(run: RunDraft, rewriting: Rewriting): void {
  for (const intents of [run.open, run.sent])
    for (const [key, intent] of intents) intents.set(key, rewriting.intent(intent));
  for (const [key, { intent, why }] of run.unknown) run.unknown.set(key, { intent: rewriting.intent(intent), why });
}

/** What was written before holds the secrets under the old data key. */
async function deleteOlder(bucket: Bucket, state: LogState): Promise<void> {
  const snapshots = (await bucket.list(snapshotPrefix)).filter((key) => key < snapshotKey(state.last));
  const kept = new Set(state.fences);
  const segments = (await bucket.list(segmentPrefix)).filter(
    (key) => numberOf(key) <= state.last && !kept.has(numberOf(key)),
  );
  const named = new Set([...state.closed.values()].map(({ object }) => object));
  // Those of an earlier try that died are named nowhere.
  const runs = (await bucket.list(runPrefix)).filter((key) => !named.has(key));
  await Promise.all([...snapshots, ...segments, ...runs].map((key) => bucket.delete(key)));
}
