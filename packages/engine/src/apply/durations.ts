import type { Operation } from "@wfctl/model";

/** How long calls take, by provider, type and operation: where calls must queue, what waits for long ones goes first. */
export interface Durations {
  /** Milliseconds; undefined where no such call has ended yet. */
  expectedMs(provider: string, type: string, operation: Operation): number | undefined;
  /** Such a call ended well after so many milliseconds, waits for the provider's own rate limit not counted. */
  note(provider: string, type: string, operation: Operation, ms: number): void;
  /** Grows when what is expected has changed by more than a fifth: an order that was made before may be another one now. */
  revision(): number;
  /** What `createDurations` takes, to be kept for the next run. */
  entries(): Readonly<Record<string, number>>;
}

/** A learned value counts like so many calls against the first ones of this run. */
const knownCalls = 4;
/** From so many calls on each further one has the same weight, so that a cloud may become slower or faster. */
const rememberedCalls = 16;
const changedBy = 0.2;

/** Begins with what earlier runs have learned, and learns as calls end. */
export function createDurations(known: Readonly<Record<string, number>> = {}): Durations {
  const all = new Map(Object.entries(known).map(([key, ms]) => [key, { ms, calls: knownCalls, announced: ms }]));
  let revision = 0;
  return {
    expectedMs: (provider, type, operation) => all.get(keyOf(provider, type, operation))?.ms,
    note(provider, type, operation, ms) {
      const key = keyOf(provider, type, operation);
      const entry = all.get(key) ?? { ms: 0, calls: 0, announced: 0 };
      entry.calls = Math.min(entry.calls + 1, rememberedCalls);
      entry.ms += (ms - entry.ms) / entry.calls;
      all.set(key, entry);
      if (Math.abs(entry.ms - entry.announced) <= changedBy * entry.announced) return;
      entry.announced = entry.ms;
      revision += 1;
    },
    revision: () => revision,
    entries: () => Object.fromEntries([...all].map(([key, { ms }]) => [key, Math.round(ms)])),
  };
}

function keyOf(provider: string, type: string, operation: Operation): string {
  return `${provider} ${type} ${operation}`;
}
