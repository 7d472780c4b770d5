import type { EngineEvent } from "@wfctl/engine";

/** How often an action that goes on says so. */
const stillRunningMs = 10_000;

export interface RunningAction {
  readonly action: number;
  readonly name: string;
  readonly kind: string;
  /** It is taken back. */
  readonly undo: boolean;
  readonly half: string;
  readonly elapsedMs: number;
  /** What its driver said last. */
  readonly message: string | undefined;
}

/** Which actions are under way, from the events of a run. */
export interface RunningActions {
  event(event: EngineEvent): void;
  /** Longest running first. */
  list(): readonly RunningAction[];
  /** Those that have run for another ten seconds since they were last given. */
  takeDue(): readonly RunningAction[];
  readonly done: number;
  readonly total: number;
}

interface Entry {
  readonly event: Extract<EngineEvent, { event: "action-started" }>;
  readonly startedAtMs: number;
  message: string | undefined;
  told: number;
}

export function createRunningActions(now: () => number): RunningActions {
  const entries = new Map<number, Entry>();
  let done = 0;
  let total = 0;
  const show = ({ event, startedAtMs, message }: Entry): RunningAction => ({
    action: event.action,
    name: event.name,
    kind: event.kind,
    undo: event.undo === true,
    half: event.half,
    elapsedMs: now() - startedAtMs,
    message,
  });
  return {
    event(event) {
      if (event.event === "run-started") total = event.actions;
      else if (event.event === "action-started") {
        entries.set(event.action, { event, startedAtMs: now(), message: undefined, told: 0 });
      } else if (event.event === "action-progress") {
        const entry = entries.get(event.action);
        if (entry !== undefined) entry.message = event.message;
      } else if (event.event === "action-done") {
        entries.delete(event.action);
        done += 1;
      } else if (event.event === "undo") {
        for (const [action, entry] of entries) if (entry.event.name === event.name) entries.delete(action);
      }
    },
    list: () => [...entries.values()].map(show),
    takeDue() {
      const due: RunningAction[] = [];
      for (const entry of entries.values()) {
        const times = Math.floor((now() - entry.startedAtMs) / stillRunningMs);
        if (times <= entry.told) continue;
        entry.told = times;
        due.push(show(entry));
      }
      return due;
    },
    get done() {
      return done;
    },
    get total() {
      return total;
    },
  };
}
