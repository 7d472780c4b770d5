import { ExpressionError, type BoundedRun } from "@wfctl/expressions";
import { createBoundedRun, TooLongError } from "./run-bounded.ts";

/** Runs expressions of a stack file, wherever they are evaluated. One that takes longer than 5 s ends with an `ExpressionError`. */
export function boundExpressions(run: BoundedRun = createBoundedRun()): BoundedRun {
  return (work) => {
    try {
      return run(work);
    } catch (error) {
      if (!(error instanceof TooLongError)) throw error;
      throw new ExpressionError(
        `The expression is not evaluated: it takes longer than ${error.seconds} s`,
        0,
        "Look for loops in loops over long lists, and for a pattern whose repetitions repeat, such as (a+)+",
      );
    }
  };
}
