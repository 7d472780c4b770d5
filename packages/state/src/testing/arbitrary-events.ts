import fc from "fast-check";
import type { JournalEvent, NodeHalf, RecordChange } from "@wfctl/model";
import { admitEvents, type OpenRun } from "../admission.ts";
import { sampleHeader, sampleIntent, sampleOutcome, sampleRecord } from "./sample.ts";

const runs = ["r1", "r2", "r3"];
const names = ["a", "b", "c", "d"];
const providers = ["cloud", "edge"];
const actionsPerRun = 3;

const place = fc.record({
  run: fc.constantFrom(...runs),
  action: fc.nat({ max: actionsPerRun - 1 }),
  half: fc.constantFrom<NodeHalf>("main", "create", "delete"),
  phase: fc.constantFrom("apply" as const, "undo" as const),
});

const record = fc
  .record({
    name: fc.constantFrom(...names),
    provider: fc.constantFrom(...providers),
    secret: fc.string(),
    deposed: fc.boolean(),
  })
  .map(({ name, provider, secret, deposed }) =>
    sampleRecord(name, {
      provider,
      inputs: { secret, size: 1 },
      sensitiveInputs: ["/secret"],
      deposed: deposed
        ? [
            {
              providerId: "old",
              type: "t",
              provider: "edge",
              outputs: { secret },
              sensitiveOutputs: ["secret"],
              dependencies: [],
              sinceRun: "r1",
            },
          ]
        : [],
    }),
  );

const change = fc.oneof(
  { weight: 3, arbitrary: record.map((put): RecordChange => ({ put })) },
  { weight: 1, arbitrary: fc.constantFrom(...names).map((remove): RecordChange => ({ remove })) },
);
const maybe = <T>(of: fc.Arbitrary<T>): fc.Arbitrary<T | undefined> => fc.option(of, { nil: undefined });
const withRecord = <T extends object, R>(base: T, found: R | undefined): T & { record?: R } =>
  found === undefined ? base : { ...base, record: found };

const event: fc.Arbitrary<JournalEvent> = fc.oneof(
  { weight: 3, arbitrary: fc.constantFrom(...runs).map((run): JournalEvent => startOf(run)) },
  {
    weight: 6,
    arbitrary: fc
      .tuple(place, fc.constantFrom(...names), fc.constantFrom(...providers), maybe(record))
      .map(([{ run, action, half, phase }, name, provider, put]): JournalEvent => {
        const intent = sampleIntent(run, action, name, { half, phase, provider });
        return withRecord({ kind: "intent" as const, intent }, put);
      }),
  },
  {
    weight: 2,
    arbitrary: fc
      .tuple(place, maybe(change))
      .map(([at, found]): JournalEvent => withRecord({ kind: "intent-closed" as const, ...at }, found)),
  },
  {
    weight: 2,
    arbitrary: fc.tuple(place, fc.string()).map(([at, why]): JournalEvent => ({ kind: "intent-unknown", ...at, why })),
  },
  {
    weight: 2,
    arbitrary: fc.tuple(place, change, fc.boolean()).map(([{ run, action, half }, found, hooksOwed]): JournalEvent => ({
      kind: "half",
      run,
      action,
      half,
      record: found,
      hooksOwed,
    })),
  },
  {
    weight: 5,
    arbitrary: fc
      .tuple(
        place,
        maybe(change),
        fc.boolean(),
        fc.constantFrom("SUCCESS" as const, "ERROR" as const, "COMPENSATED" as const),
      )
      .map(([{ run, action }, found, keepIntents, status]): JournalEvent =>
        withRecord({ kind: "outcome" as const, run, outcome: sampleOutcome(action, { status }), keepIntents }, found),
      ),
  },
  { weight: 1, arbitrary: place.map(({ run, action }): JournalEvent => ({ kind: "hooks-done", run, action })) },
  {
    weight: 2,
    arbitrary: fc
      .tuple(place, change)
      .map(([{ run }, found]): JournalEvent => ({ kind: "record", run, record: found })),
  },
  {
    weight: 2,
    arbitrary: fc
      .tuple(place, fc.constantFrom(...providers))
      .map(([{ run }, provider]): JournalEvent => ({ kind: "finalize-owed", run, provider })),
  },
  {
    weight: 2,
    arbitrary: fc
      .tuple(place, fc.constantFrom(...providers), fc.array(fc.string(), { maxLength: 1 }))
      .map(([{ run }, provider, errors]): JournalEvent => ({ kind: "finalize-done", run, provider, errors })),
  },
  { weight: 1, arbitrary: place.map(({ run }): JournalEvent => ({ kind: "cleanup-started", run })) },
  {
    weight: 1,
    arbitrary: place.map(({ run, action }): JournalEvent => ({
      kind: "undo-started",
      run,
      actions: [action],
      skip: ["a"],
    })),
  },
  {
    weight: 1,
    arbitrary: fc.tuple(fc.constantFrom(...providers), fc.string()).map(([provider, token]): JournalEvent => ({
      kind: "provider-config",
      provider,
      name: "fake",
      config: { token },
    })),
  },
  {
    weight: 2,
    arbitrary: place.map(({ run }): JournalEvent => ({
      kind: "run-closed",
      run,
      end: "failed",
      at: "2026-01-01T00:00:00.000Z",
    })),
  },
);

function startOf(run: string): JournalEvent {
  return { kind: "run-started", run: sampleHeader(run, names.slice(0, actionsPerRun)) };
}

/** Sequences of commits that admission lets pass: what it would refuse is left out. */
export const arbitraryCommits: fc.Arbitrary<JournalEvent[][]> = fc
  .array(fc.array(event, { minLength: 1, maxLength: 4 }), { minLength: 1, maxLength: 40 })
  .map((commits) => {
    let open = new Map<string, OpenRun>();
    const started = new Set<string>();
    const admitted = commits.map((events) =>
      events.filter((candidate) => {
        if (candidate.kind === "run-started" && started.has(candidate.run.id)) return false;
        const trial = copyOf(open);
        try {
          admitEvents(trial, [candidate]);
        } catch {
          return false;
        }
        open = trial;
        if (candidate.kind === "run-started") started.add(candidate.run.id);
        return true;
      }),
    );
    return admitted.filter((events) => events.length > 0);
  });

function copyOf(open: ReadonlyMap<string, OpenRun>): Map<string, OpenRun> {
  return new Map([...open].map(([id, { actionCount, filled }]) => [id, { actionCount, filled: new Set(filled) }]));
}
