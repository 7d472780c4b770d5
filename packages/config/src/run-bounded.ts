import { createContext, Script } from "node:vm";
import type { BoundedRun } from "@wfctl/expressions";

/** Longest time that one expression or pattern may take, in milliseconds. */
const limitMs = 5_000;

/** Thrown by a bounded run that takes too long. */
export class TooLongError extends Error {
  readonly seconds: number;

  constructor(seconds: number) {
    super(`It takes longer than ${seconds} s`);
    this.name = "TooLongError";
    this.seconds = seconds;
  }
}

/** Runs a function on this thread, and throws a `TooLongError` where the function takes longer than `ms`; what the function throws is thrown as it is. */
export function createBoundedRun(ms = limitMs): BoundedRun {
  let engine: { readonly script: Script; readonly box: { run?: () => void } } | undefined;
  return (run) => {
    engine ??= { script: new Script("run()"), box: createContext({}) };
    const { script, box } = engine;
    const end: { value?: ReturnType<typeof run>; thrown?: unknown; how?: "returned" | "thrown" } = {};
    box.run = () => {
      try {
        end.value = run();
        end.how = "returned";
      } catch (error) {
        end.thrown = error;
        end.how = "thrown";
      }
    };
    try {
      script.runInContext(box, { timeout: ms });
    } catch (error) {
      // An error of the other context: of no class of this one.
      if ((error as { code?: unknown } | null)?.code !== "ERR_SCRIPT_EXECUTION_TIMEOUT") throw error;
      throw new TooLongError(ms / 1000);
    }
    if (end.how === "thrown") throw end.thrown;
    return end.value as ReturnType<typeof run>;
  };
}
