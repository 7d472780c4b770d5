import type { Json } from "@wfctl/model";
import { ExpressionError } from "./expression-error.ts";
import { mayTakeLong, parseProgram, sharedLanguage, toExpressionError, type Program } from "./language.ts";
import { variablesName } from "./scan.ts";
import { fromCel, toCel } from "./values.ts";

/** Values by the names that stand in an expression. */
export interface ComputeContext {
  readonly variables: { readonly [name: string]: Json };
  readonly env: { readonly [name: string]: Json };
  /** Outputs by resource and key. */
  readonly outputs: { readonly [resource: string]: { readonly [key: string]: Json } };
}

/**
 * Runs an expression, and ends it where it takes too long, also within a loop or a pattern: throws then, with a message for
 * the user. Returns, or throws, what `run` does.
 */
export type BoundedRun = <T>(run: () => T) => T;

/**
 * The value of an expression. Throws an `ExpressionError` whose message holds no value. Where the expression may take long,
 * `bounded` runs it: it returns what `run` returns, or throws an `ExpressionError` after some time.
 */
export function compute(expression: string, context: ComputeContext, bounded: BoundedRun = (run) => run()): Json {
  const program: Program = parseProgram(sharedLanguage(), expression);
  return mayTakeLong(expression) ? bounded(() => evaluate(program, context)) : evaluate(program, context);
}

function evaluate(program: Program, context: ComputeContext): Json {
  const outputs = toCel(context.outputs) as Map<string, unknown>;
  let result: unknown;
  try {
    result = program({
      ...Object.fromEntries(outputs),
      resource: outputs,
      env: toCel(context.env),
      [variablesName]: toCel(context.variables),
    });
  } catch (error) {
    throw toExpressionError(error);
  }
  try {
    return fromCel(result);
  } catch (error) {
    const why = error instanceof Error ? error.message : "it has no JSON form";
    throw new ExpressionError(`The expression cannot be used: ${why}`, 0, "A value is text, a number, a list or a map");
  }
}
