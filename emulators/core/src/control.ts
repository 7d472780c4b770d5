import type { EmulatorClock } from "./clock.ts";
import { effects, isFault, type Faults } from "./faults.ts";
import type { Journal } from "./journal.ts";
import type { Json, JsonObject } from "./json.ts";
import type { RateLimit } from "./rate-limit.ts";
import type { Reply } from "./service.ts";

export const controlPrefix = "/_emulator/";

export interface ControlTarget {
  readonly clock: EmulatorClock;
  readonly faults: Faults;
  readonly journal: Journal;
  readonly limits: RateLimit;
  readonly lag: { lagMs: number };
  state(): JsonObject;
  reset(): void;
}

const done: Reply = { status: 204 };

/**
 * The switches, for programs that are not the server's own process: `state`, `exchanges`, `clock`, `faults`, `settings`,
 * all below `/_emulator/`.
 */
export async function answerControl(target: ControlTarget, method: string, path: string, raw: string): Promise<Reply> {
  const what = path.slice(controlPrefix.length).split("?")[0];
  let given: JsonObject = {};
  try {
    given = raw === "" ? {} : (JSON.parse(raw) as JsonObject);
  } catch {
    return { status: 400, body: { message: "The body is no JSON" } };
  }
  switch (`${method} ${what}`) {
    case "GET state":
      target.clock.settle();
      return { status: 200, body: target.state() };
    case "DELETE state":
      target.reset();
      target.journal.clear();
      target.faults.clear();
      return done;
    case "GET exchanges":
      return { status: 200, body: structuredClone(target.journal.exchanges()) as unknown as Json };
    case "GET clock":
      return { status: 200, body: { now: target.clock.iso(), rate: target.clock.rate() } };
    case "POST clock":
      if (typeof given["rate"] === "number") target.clock.setRate(given["rate"]);
      if (typeof given["advance_ms"] === "number") target.clock.advance(given["advance_ms"]);
      target.clock.settle();
      return done;
    case "GET faults":
      return { status: 200, body: structuredClone(target.faults.pending()) as unknown as Json };
    case "POST faults":
      if (!isFault(given)) return { status: 422, body: { message: `effect must be one of ${effects.join(", ")}` } };
      target.faults.add(given);
      return done;
    case "DELETE faults":
      target.faults.clear();
      return done;
    case "POST settings":
      applySettings(target, given);
      return done;
    default:
      return { status: 404, body: { message: `No switch "${method} ${what}"` } };
  }
}

function applySettings({ lag, limits }: ControlTarget, given: JsonObject): void {
  if (typeof given["lag_ms"] === "number") lag.lagMs = given["lag_ms"];
  if (typeof given["rate_limit"] === "number") limits.limit = given["rate_limit"];
  if (given["rate_limit"] === null) limits.limit = undefined;
  if (typeof given["rate_window_ms"] === "number") limits.windowMs = given["rate_window_ms"];
}
