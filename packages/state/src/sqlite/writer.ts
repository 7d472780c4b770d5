import type { DatabaseSync } from "node:sqlite";
import { WfctlError, type Intent, type JournalEvent, type NodeHalf, type RunHeader } from "@wfctl/model";
import type { OpenRun } from "../admission.ts";
import { createRunDraft, type RunDraft } from "../draft.ts";
import { applyToRun, hookKey, leftOpen } from "../reduce.ts";
import { runsToDrop, type Retention } from "../retention.ts";
import { keyOf, sumOf } from "./checksum.ts";
import { readCounts } from "./read-state.ts";
import { encodeProvider, owesHook, type CommitRows, type EventRow } from "./rows.ts";
import { runStride } from "./schema.ts";
import { prepareStatements } from "./statements.ts";

/** Applies encoded commits to the database. Lives with its connection; knows nothing of keys. */
export interface Writer {
  /** Reads what earlier writers left; to be called when the lease has been taken. */
  refresh(): Map<string, OpenRun>;
  /** One transaction for all the commits; the serial after each. Throws and rolls back when the fence is not the newest. */
  write(fence: number, commits: readonly CommitRows[]): number[];
  /** Drops closed runs as the retention says, in a transaction of its own. */
  prune(fence: number): void;
}

interface Tail {
  readonly number: number;
  next: number;
}

export function createWriter(db: DatabaseSync, retention: Retention): Writer {
  const sql = prepareStatements(db);
  /** Open runs, and closed ones that got events lately. */
  const open = new Map<string, Tail>();
  let stack = { serial: 0, runs: 0, records: 0 };

  const tailOf = (number: number): Tail => {
    const last = sql.lastJournalId.get((number + 1) * runStride, number * runStride)?.["id"] as number | undefined;
    return { number, next: last === undefined ? 1 : (last % runStride) + 1 };
  };

  const appendJournal = (tail: Tail, row: EventRow): void => {
    const id = tail.number * runStride + tail.next;
    tail.next += 1;
    sql.insertJournal.run(
      id,
      row.kind,
      row.slot,
      stack.serial,
      sumOf(keyOf(row.kind, row.slot, stack.serial), row.body),
      row.body,
    );
  };

  const applyRecord = ({ name, put }: NonNullable<EventRow["record"]>): void => {
    if (put === undefined) {
      stack.records -= Number(sql.deleteRecord.run(name).changes);
    } else if (sql.updateRecord.run(put.providers, stack.serial, put.sum, put.body, name).changes === 0) {
      sql.insertRecord.run(name, put.providers, stack.serial, put.sum, put.body);
      stack.records += 1;
    }
  };

  const startRun = (row: EventRow): void => {
    const [actions, actionCount] = row.more as [string, number];
    stack.runs += 1;
    const sum = sumOf(keyOf(stack.runs, row.run, stack.serial, actionCount), row.body + actions);
    sql.insertRun.run(stack.runs, row.run, stack.serial, actionCount, sum, row.body, actions);
    open.set(row.run, { number: stack.runs, next: 1 });
  };

  /** Moves what the run leaves in doubt to the tables of the stack; see `closeRun` of the reducer. */
  const closeRun = (row: EventRow, tail: Tail): void => {
    const { run, intentIds } = replaySlots(tail.number);
    for (const [slot, { why }] of leftOpen(run)) {
      const { body } = sql.journalBody.get(intentIds.get(slot)!) as { body: string };
      const { intent } = JSON.parse(body) as { intent: Intent };
      const key = `${row.run}:${slot}`;
      const text = JSON.stringify(intent);
      sql.insertUnknown.run(key, intent.provider, why, sumOf(keyOf(key, intent.provider, why), text), text);
    }
    if (run.hooksOwed.size > 0) {
      const { actions } = sql.actionsOfRun.get(tail.number) as { actions: string };
      const names = (JSON.parse(actions) as RunHeader["actions"]).map(({ name }) => name);
      for (const action of run.hooksOwed) oweHook(row.run, action, names[action] ?? "");
    }
    for (const provider of run.finalizeOwed) sql.insertFinalizeOwed.run(provider, sumOf(provider, ""));
    const at = row.more![0]!;
    sql.closeRun.run(row.body, at, sumOf(keyOf(row.run, at), row.body), tail.number);
    open.delete(row.run);
    if (sql.anyOpenRun.get() === undefined) dropUnusedConfigs();
    dropOldRuns();
  };

  const oweHook = (run: string, action: number, name: string): void => {
    const key = hookKey(run, action);
    sql.putHookOwed.run(key, run, action, name, sumOf(keyOf(key, run, action, name), ""));
  };

  /** The run's intents, finalizers and hooks, told by the slots alone. */
  const replaySlots = (number: number): { run: RunDraft; intentIds: Map<string, number> } => {
    const run = createRunDraft({ id: "", actions: [] } as never, number, 0);
    const intentIds = new Map<string, number>();
    for (const row of sql.slotsOfRun.iterate(number * runStride, (number + 1) * runStride)) {
      const slot = row["slot"] as string;
      const event = skeletonOf(row["kind"] as string, slot, (row["why"] as string | null) ?? "");
      if (event === undefined) continue;
      applyToRun(run, event, 0);
      if (event.kind === "intent") intentIds.set(slot, row["id"] as number);
    }
    return { run, intentIds };
  };

  const dropUnusedConfigs = (): void => {
    for (const row of sql.configProviders.all()) {
      const provider = row["provider"] as string;
      const used =
        sql.recordOfProvider.get(`/${encodeProvider(provider)}/`) ??
        sql.unknownOfProvider.get(provider) ??
        sql.finalizeOwedBy.get(provider);
      if (used === undefined) sql.deleteConfig.run(provider);
    }
  };

  const dropOldRuns = (): void => {
    const closed = sql.closedRuns.all().map((row) => ({
      number: row["number"] as number,
      closedAt: row["closed_at"] as string,
    }));
    if (closed.length < 2) return;
    const now = sql.now.get()!["now"] as number;
    for (const { number } of runsToDrop(closed, now, retention)) {
      sql.deleteJournal.run(number * runStride, (number + 1) * runStride);
      sql.deleteRun.run(number);
    }
  };

  const renameDoubt = (key: string, why: string): void => {
    const found = sql.readUnknown.get(key) as { provider: string; body: string } | undefined;
    if (found !== undefined) sql.updateUnknown.run(why, sumOf(keyOf(key, found.provider, why), found.body), key);
  };

  /** Events of closed runs settle what those runs left in doubt, and the hooks that they owe. */
  const settleUnknown = (row: EventRow): void => {
    if (row.kind === "half" && row.slot!.endsWith(owesHook)) {
      const [action, name] = row.more as [number, string];
      oweHook(row.run, action, name);
      sql.deleteUnknown.run(`${row.run}:${row.slot!.slice(0, -owesHook.length)}`);
    }
    if (row.kind === "hooks-done") sql.deleteHookOwed.run(hookKey(row.run, row.more![0] as number));
    if (row.kind === "intent-closed" || row.kind === "half") sql.deleteUnknown.run(`${row.run}:${row.slot}`);
    if (row.kind === "intent-unknown") renameDoubt(`${row.run}:${row.slot}`, row.more![0] as string);
    if (row.kind === "outcome" && row.slot !== null) {
      for (const half of ["main", "create", "delete"] satisfies NodeHalf[]) {
        for (const phase of ["apply", "undo"]) sql.deleteUnknown.run(`${row.run}:${row.slot}:${half}:${phase}`);
      }
    }
  };

  const applyRow = (row: EventRow): void => {
    if (row.record !== undefined) applyRecord(row.record);
    if (row.kind === "provider-config") {
      const [provider, name] = [row.slot!, row.more![0]!];
      sql.putConfig.run(provider, name, sumOf(keyOf(provider, name), row.body), row.body);
      return;
    }
    if (row.kind === "run-started") return startRun(row);
    const tail = open.get(row.run);
    if (tail !== undefined) {
      if (row.kind === "run-closed") return closeRun(row, tail);
      appendJournal(tail, row);
    } else {
      settleUnknown(row);
      const number = sql.runNumber.get(row.run)?.["number"] as number | undefined;
      if (number !== undefined) appendJournal(tailOf(number), row);
    }
    if (row.kind === "finalize-done" && row.slot !== null) sql.deleteFinalizeOwed.run(row.slot);
  };

  const inTransaction = <T>(fence: number, act: () => T): T => {
    sql.begin.run();
    try {
      checkFence(fence);
      const result = act();
      sql.commit.run();
      return result;
    } catch (error) {
      if (db.isTransaction) sql.rollback.run();
      throw error;
    }
  };

  const checkFence = (fence: number): void => {
    if (sql.holdsLease.get(fence) !== undefined) return;
    throw new WfctlError("LEASE_LOST", "Commit to the state failed: the lease was taken over by another run", {
      hint: "See who has it: wfctl state lease show",
    });
  };

  return {
    refresh() {
      stack = readCounts(db);
      open.clear();
      const found = new Map<string, OpenRun>();
      for (const run of sql.openRuns.all()) {
        const number = run["number"] as number;
        open.set(run["id"] as string, tailOf(number));
        const filled = sql.outcomesOfRun.all(number * runStride, (number + 1) * runStride);
        found.set(run["id"] as string, {
          actionCount: run["action_count"] as number,
          filled: new Set(filled.map((outcome) => outcome["action"] as number)),
        });
      }
      return found;
    },
    write(fence, commits) {
      return inTransaction(fence, () => {
        const serials = commits.map(({ changesRecord, rows }) => {
          if (changesRecord) stack.serial += 1;
          for (const row of rows) applyRow(row);
          return stack.serial;
        });
        const { serial, runs, records } = stack;
        sql.updateStack.run(serial, runs, records, sumOf(keyOf(serial, runs, records), ""));
        return serials;
      });
    },
    prune(fence) {
      inTransaction(fence, dropOldRuns);
    },
  };
}

/** As much of an event as its row's slot tells. */
function skeletonOf(kind: string, slot: string, why: string): JournalEvent | undefined {
  const run = "";
  switch (kind) {
    case "finalize-owed":
      return { kind, run, provider: slot };
    case "finalize-done":
      return { kind, run, provider: slot, errors: [] };
    case "outcome":
      return { kind, run, outcome: { action: Number(slot), status: "SUCCESS", attempts: 0, durationMs: 0 } };
    case "hooks-done":
      return { kind, run, action: Number(slot) };
  }
  const [action, half, phase] = slot.split(":") as [string, NodeHalf, "apply" | "undo"];
  const place = { run, action: Number(action), half, phase };
  switch (kind) {
    case "intent":
      return { kind, intent: place as Intent };
    case "intent-closed":
      return { kind, ...place };
    case "intent-unknown":
      return { kind, ...place, why };
    case "half":
      return {
        kind,
        run,
        action: place.action,
        half,
        record: { remove: "" },
        ...(slot.endsWith(owesHook) ? { hooksOwed: true } : {}),
      };
    default:
      return undefined;
  }
}
