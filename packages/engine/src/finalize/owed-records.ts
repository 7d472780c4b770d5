import type { JournalEvent, ResourceRecord, RunState } from "@wfctl/model";
import { finalizerOwedReason } from "../plan/finalizer-owed.ts";

/** The same for what a dead undo has updated back: those records carry the run before. */
export function undoneOwedEvents(run: RunState, records: Map<string, ResourceRecord>): JournalEvent[] {
  const owed = new Set(run.finalizeOwed);
  return run.header.actions.flatMap(({ index, kind, name }): JournalEvent[] => {
    const record = records.get(name);
    const undone = kind === "update" && run.outcomes.get(index)?.status === "COMPENSATED";
    if (!undone || record === undefined || record.mark !== undefined || !owed.has(record.provider)) return [];
    const put: ResourceRecord = { ...record, mark: "dirty", markReason: finalizerOwedReason };
    records.set(name, put);
    return [{ kind: "record", run: run.header.id, record: { put } }];
  });
}

/**
 * A finalizer that is still owed may have lost its memory with the plugin process: what the run wrote there is updated
 * again by the next plan. Changes `records` as the events say.
 */
export function finalizerOwedEvents(
  run: string,
  modules: Iterable<string>,
  records: Map<string, ResourceRecord>,
): JournalEvent[] {
  const owed = new Set(modules);
  if (owed.size === 0) return [];
  const events: JournalEvent[] = [];
  for (const record of records.values()) {
    if (!owed.has(record.provider) || record.run !== run || record.mark !== undefined) continue;
    const put: ResourceRecord = { ...record, mark: "dirty", markReason: finalizerOwedReason };
    events.push({ kind: "record", run, record: { put } });
  }
  for (const event of events) {
    if (event.kind === "record" && "put" in event.record) records.set(event.record.put.name, event.record.put);
  }
  return events;
}
