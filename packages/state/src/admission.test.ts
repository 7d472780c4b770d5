import type { JournalEvent } from "@wfctl/model";
import { expect, test } from "vitest";
import { admitEvents, type OpenRun } from "./admission.ts";
import { sampleHeader, sampleIntent, sampleOutcome } from "./testing/sample.ts";

const start = (id: string): JournalEvent => ({ kind: "run-started", run: sampleHeader(id, ["a", "b"]) });
const outcome = (action: number, status: "SUCCESS" | "COMPENSATED" | "COMPENSATION_FAILED"): JournalEvent => ({
  kind: "outcome",
  run: "r",
  outcome: sampleOutcome(action, { status }),
});
const process = { provider: "p", plugin: "p", version: "1", pid: 1, startTime: "1", bootId: "b", pidNamespace: "n" };
const closed: JournalEvent = { kind: "run-closed", run: "r", end: "failed", at: "2026-01-01T00:00:00.000Z" };

const admitted: Record<string, JournalEvent[]> = {
  "one outcome per action": [start("r"), outcome(0, "SUCCESS"), outcome(1, "SUCCESS"), closed],
  "an outcome rewritten by an undo": [start("r"), outcome(0, "SUCCESS"), outcome(0, "COMPENSATED")],
  "a closed run undone": [start("r"), outcome(0, "SUCCESS"), closed, outcome(0, "COMPENSATION_FAILED")],
  "the doubts of a run that is over": [
    { kind: "intent-closed", run: "gone", action: 0, half: "main", phase: "apply" },
    { kind: "intent-unknown", run: "gone", action: 0, half: "main", phase: "apply", why: "no answer" },
    { kind: "hooks-done", run: "gone", action: 0 },
    { kind: "finalize-done", run: "gone", provider: "p", errors: [] },
  ],
  "a provider's configuration outside a run": [{ kind: "provider-config", provider: "p", name: "n", config: {} }],
};

const refused: Record<string, JournalEvent[]> = {
  "a run that starts twice": [start("r"), start("r")],
  "a second outcome": [start("r"), outcome(0, "SUCCESS"), outcome(0, "SUCCESS")],
  "a success after an undo": [start("r"), outcome(0, "COMPENSATED"), outcome(0, "SUCCESS")],
  "an outcome beyond the last action": [start("r"), outcome(2, "SUCCESS")],
  "an outcome before the first action": [start("r"), outcome(-1, "SUCCESS")],
  "an outcome between two actions": [start("r"), outcome(0.5, "SUCCESS")],
  "an outcome of a closed run": [start("r"), closed, outcome(0, "SUCCESS")],
  "an intent of no run": [{ kind: "intent", intent: sampleIntent("r", 0, "a") }],
  "an intent of a closed run": [start("r"), closed, { kind: "intent", intent: sampleIntent("r", 0, "a") }],
  "a plugin of no run": [{ kind: "plugin-started", run: "r", process }],
  "a clean-up of no run": [{ kind: "cleanup-started", run: "r" }],
  "an undo of no run": [{ kind: "undo-started", run: "r", actions: [], skip: [] }],
  "a finalizer of no run": [{ kind: "finalize-owed", run: "r", provider: "p" }],
  "a run that closes twice": [start("r"), closed, closed],
};

for (const [name, events] of Object.entries(admitted)) {
  test(`admits ${name}`, () => {
    expect(() => admitEvents(new Map(), events)).not.toThrow();
  });
}

for (const [name, events] of Object.entries(refused)) {
  test(`refuses ${name}`, () => {
    const open = new Map<string, OpenRun>();
    admitEvents(open, events.slice(0, -1));
    const last = () => admitEvents(open, events.slice(-1));
    expect(last).toThrow(
      expect.objectContaining({ code: "INTERNAL", message: expect.stringContaining(events.at(-1)!.kind) }),
    );
  });
}
