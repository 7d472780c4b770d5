import type { JournalEvent, StackState } from "@wfctl/model";
import { createDraft } from "../draft.ts";
import { applyCommit } from "../reduce.ts";
import { toStackState } from "../to-state.ts";
import { sampleHeader, sampleIntent, sampleOutcome, sampleRecord } from "./sample.ts";

/**
 * The commit number `number` (from 1) of an endless sequence in which every commit changes records, so that the serial
 * tells how far a state got. Runs start and close on the way, sometimes with an intent in doubt.
 */
export function crashCommit(number: number): JournalEvent[] {
  const run = `r${Math.floor((number - 1) / 10)}`;
  const step = (number - 1) % 10;
  const name = `n${number % 7}`;
  const put = (side: string) =>
    sampleRecord(`${name}-${side}`, {
      run,
      providerId: String(number),
      inputs: { secret: `secret ${number}`, filler: "x".repeat((number * 37) % 3000) },
      sensitiveInputs: ["/secret"],
    });
  const pair: JournalEvent[] = [
    { kind: "record", run, record: { put: put("left") } },
    { kind: "record", run, record: { put: put("right") } },
  ];
  if (step === 0) return [{ kind: "run-started", run: sampleHeader(run, ["a", "b", "c", "d"]) }, ...pair];
  if (step === 9) {
    return [
      ...pair,
      { kind: "run-closed", run, end: "failed", at: new Date(Date.UTC(2026, 0, 1, 0, 0, number)).toISOString() },
    ];
  }
  const action = Math.floor((step - 1) / 2);
  const intent = sampleIntent(run, action, `${run}-${action}`);
  if (step % 2 === 1) return [{ kind: "intent", intent }, ...pair];
  // The last action of every third run stays in doubt.
  const keepIntents = action === 3 && number % 3 === 0;
  return [...pair, { kind: "outcome", run, outcome: sampleOutcome(action), keepIntents }];
}

/** The state after the first `count` commits. */
export function crashState(lineage: string, count: number): StackState {
  const draft = createDraft(lineage);
  for (let number = 1; number <= count; number += 1) applyCommit(draft, crashCommit(number));
  return toStackState(draft);
}
