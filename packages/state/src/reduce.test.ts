import type { JournalEvent } from "@wfctl/model";
import { describe, expect, test } from "vitest";
import { createDraft } from "./draft.ts";
import { applyCommit, applyEvent, changesRecord, providersOf, runOf } from "./reduce.ts";
import { sampleHeader, sampleIntent, sampleOutcome, sampleRecord } from "./testing/sample.ts";
import { toRunState, toStackState } from "./to-state.ts";

const at = "2026-01-01T00:00:00.000Z";
const start = (id: string, names: readonly string[] = ["a", "b"]): JournalEvent => ({
  kind: "run-started",
  run: sampleHeader(id, names),
});
const close = (run: string): JournalEvent => ({ kind: "run-closed", run, end: "failed", at });
const main = { half: "main", phase: "apply" } as const;

function reduce(...commits: readonly JournalEvent[][]) {
  const draft = createDraft("lineage", { history: true });
  for (const events of commits) applyCommit(draft, events);
  return { draft, state: toStackState(draft), run: (id: string) => draft.openRuns.get(id) ?? draft.history!.get(id)! };
}

describe("serial", () => {
  const cases: [string, JournalEvent[], number][] = [
    ["an intent without a record", [{ kind: "intent", intent: sampleIntent("r", 0, "a") }], 0],
    ["an intent with a record", [{ kind: "intent", intent: sampleIntent("r", 0, "a"), record: sampleRecord("a") }], 1],
    ["an outcome without a record", [{ kind: "outcome", run: "r", outcome: sampleOutcome(0) }], 0],
    [
      "an outcome with a record",
      [{ kind: "outcome", run: "r", outcome: sampleOutcome(0), record: { remove: "a" } }],
      1,
    ],
    ["a closed intent without a record", [{ kind: "intent-closed", run: "r", action: 0, ...main }], 0],
    [
      "a closed intent with a record",
      [{ kind: "intent-closed", run: "r", action: 0, ...main, record: { remove: "a" } }],
      1,
    ],
    ["a half", [{ kind: "half", run: "r", action: 0, half: "create", record: { put: sampleRecord("a") } }], 1],
    ["two records", [0, 1].map(() => ({ kind: "record", run: "r", record: { put: sampleRecord("a") } })), 1],
    ["a run that closes", [close("r")], 0],
    ["a provider's configuration", [{ kind: "provider-config", provider: "p", name: "n", config: {} }], 0],
  ];
  for (const [name, events, growth] of cases) {
    test(`${name} grows it by ${growth}`, () => {
      expect(reduce([start("r")], events).state.serial).toBe(growth);
      expect(changesRecord(events)).toBe(growth === 1);
    });
  }

  test("a run remembers the serial after its last record change", () => {
    const { run } = reduce(
      [start("r1")],
      [{ kind: "record", run: "r1", record: { put: sampleRecord("a") } }],
      [start("r2")],
      [{ kind: "record", run: "r2", record: { put: sampleRecord("b") } }],
      [close("r1")],
    );
    expect(run("r1").lastSerial).toBe(1);
    expect(run("r2").lastSerial).toBe(2);
  });
});

describe("intents", () => {
  const intent = (
    half: "main" | "create" | "delete",
    phase: "apply" | "undo" = "apply",
    attempt = 1,
  ): JournalEvent => ({
    kind: "intent",
    intent: sampleIntent("r", 0, "a", { half, phase, attempt }),
  });
  const openKeys = (run: ReturnType<typeof toRunState>) => run.openIntents.map(({ half, phase }) => `${half}:${phase}`);

  test("a later attempt takes the place of the earlier one", () => {
    const { run } = reduce([start("r")], [intent("main", "apply", 1)], [intent("main", "apply", 2)]);
    const state = toRunState(run("r"));
    expect(state.openIntents.map(({ attempt }) => attempt)).toEqual([2]);
    expect(state.sentIntents.map(({ attempt }) => attempt)).toEqual([2]);
  });

  test("the record of an intent marks the record before the call", () => {
    const { state } = reduce([
      start("r"),
      { kind: "intent", intent: sampleIntent("r", 0, "a"), record: sampleRecord("a", { mark: "dirty" }) },
    ]);
    expect(state.records.get("a")?.mark).toBe("dirty");
  });

  test("a half closes the apply intent of that half only", () => {
    const { run } = reduce(
      [start("r")],
      [intent("create"), intent("delete"), intent("create", "undo")],
      [{ kind: "half", run: "r", action: 0, half: "create", record: { put: sampleRecord("a") } }],
    );
    expect(openKeys(toRunState(run("r")))).toEqual(["delete:apply", "create:undo"]);
    expect(toRunState(run("r")).halvesDone).toEqual(["0:create"]);
  });

  test("an outcome closes all intents of its action, unless it keeps them", () => {
    const other: JournalEvent = { kind: "intent", intent: sampleIntent("r", 1, "b") };
    const unknown: JournalEvent = { kind: "intent-unknown", run: "r", action: 0, ...main, why: "no answer" };
    const ended = (keepIntents: boolean): JournalEvent => ({
      kind: "outcome",
      run: "r",
      outcome: sampleOutcome(0),
      keepIntents,
    });
    const sent = [intent("main"), intent("create", "undo"), other, unknown];
    const closed = toRunState(reduce([start("r")], sent, [ended(false)]).run("r"));
    expect(openKeys(closed)).toEqual(["main:apply"]);
    expect(closed.unknownIntents).toEqual([]);
    const kept = toRunState(reduce([start("r")], sent, [ended(true)]).run("r"));
    expect([kept.openIntents.length, kept.unknownIntents.length, kept.outcomes.size]).toEqual([2, 1, 1]);
  });

  test("an unknown intent that is sent again is open again", () => {
    const unknown: JournalEvent = { kind: "intent-unknown", run: "r", action: 0, ...main, why: "no answer" };
    const { run } = reduce([start("r")], [intent("main")], [unknown], [intent("main", "apply", 2)]);
    expect([run("r").open.size, run("r").unknown.size]).toEqual([1, 0]);
  });

  test("of two doubts about one resource the newest shows, and then the one before", () => {
    const doubt = (run: string): JournalEvent[] => [
      start(run),
      { kind: "intent", intent: sampleIntent(run, 0, "a") },
      close(run),
    ];
    const closed = (run: string): JournalEvent => ({ kind: "intent-closed", run, action: 0, ...main });
    const both = [doubt("r1"), doubt("r2")];
    expect(reduce(...both).state.unknown.get("a")?.intent.run).toBe("r2");
    expect(reduce(...both, [closed("r2")]).state.unknown.get("a")?.intent.run).toBe("r1");
    expect(reduce(...both, [closed("r1")], [closed("r2")]).state.unknown.size).toBe(0);
  });

  test("an event of a run that is not known changes records and nothing else", () => {
    const { state } = reduce([{ kind: "record", run: "gone", record: { put: sampleRecord("a") } }]);
    expect([...state.records.keys()]).toEqual(["a"]);
    expect(state.openRuns).toEqual([]);
  });
});

describe("a run", () => {
  test("keeps what happened in it", () => {
    const process = {
      provider: "cloud",
      plugin: "p",
      version: "1",
      pid: 7,
      startTime: "1",
      bootId: "b",
      pidNamespace: "n",
    };
    const { run } = reduce(
      [
        start("r"),
        { kind: "plugin-started", run: "r", process },
        { kind: "finalize-owed", run: "r", provider: "cloud" },
      ],
      [{ kind: "half", run: "r", action: 0, half: "main", record: { put: sampleRecord("a") }, hooksOwed: true }],
      [{ kind: "half", run: "r", action: 1, half: "main", record: { put: sampleRecord("b") }, hooksOwed: true }],
      [{ kind: "hooks-done", run: "r", action: 0 }],
      [{ kind: "cleanup-started", run: "r" }],
      [{ kind: "undo-started", run: "r", actions: [1, 0], skip: ["a"] }],
      [{ kind: "finalize-done", run: "r", provider: "cloud", errors: ["refused"] }],
    );
    expect(toRunState(run("r"))).toMatchObject({
      plugins: [process],
      hooksOwed: [1],
      cleanupStarted: true,
      undo: { actions: [1, 0], skip: ["a"] },
      finalizeOwed: ["cloud"],
      finalizeErrors: ["refused"],
    });
  });

  test("closes with its end, its time and its error", () => {
    const { run, state } = reduce([start("r")], [{ kind: "run-closed", run: "r", end: "failed", at, error: "no" }]);
    expect(toRunState(run("r")).closed).toEqual({ end: "failed", at, error: "no" });
    expect(state.openRuns).toEqual([]);
  });

  test("a state that was taken does not change with the draft", () => {
    const { draft, state } = reduce([start("r")]);
    applyCommit(draft, [{ kind: "intent", intent: sampleIntent("r", 0, "a"), record: sampleRecord("a") }]);
    expect([state.serial, state.records.size, state.openRuns[0]?.openIntents.length]).toEqual([0, 0, 0]);
  });
});

test("an event of a kind that is not known is corruption, not ignored", () => {
  const draft = createDraft("lineage");
  applyEvent(draft, start("r"));
  const strange = { kind: "future", run: "r" } as unknown as JournalEvent;
  expect(() => applyEvent(draft, strange)).toThrow(expect.objectContaining({ code: "STORE_CORRUPT" }));
});

test("the providers of a record are its own and those of its deposed objects, each once", () => {
  const deposed = ["edge", "cloud"].map((provider) => ({
    providerId: "old",
    type: "t",
    provider,
    outputs: {},
    sensitiveOutputs: [],
    dependencies: [],
    sinceRun: "r",
  }));
  expect(providersOf(sampleRecord("a", { provider: "cloud", deposed }))).toEqual(["cloud", "edge"]);
});

test("every event but a provider's configuration belongs to a run", () => {
  expect(runOf({ kind: "provider-config", provider: "p", name: "n", config: {} })).toBeUndefined();
  expect([start("r"), close("r"), { kind: "intent", intent: sampleIntent("r", 0, "a") } as const].map(runOf)).toEqual([
    "r",
    "r",
    "r",
  ]);
});
