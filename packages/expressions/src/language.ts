import { Environment, type ASTNode } from "@marcbachmann/cel-js";
import { ExpressionError } from "./expression-error.ts";
import { registerFunctions } from "./functions.ts";
import { renameVariables, variablesName } from "./scan.ts";

let made: Environment | undefined;

/** The language, which is the same for all expressions: making it takes four times as long as reading one. */
export function sharedLanguage(): Environment {
  return (made ??= createLanguage());
}

/** CEL with the functions of `functions.ts`, bounded in size and depth. */
function createLanguage(): Environment {
  return registerFunctions(
    new Environment({
      unlistedVariablesAreDyn: true,
      homogeneousAggregateLiterals: false,
      enableOptionalTypes: true,
      limits: { maxAstNodes: 5000, maxDepth: 100, maxListElements: 1000, maxMapEntries: 1000, maxCallArguments: 32 },
    }),
  );
}

export type Program = ReturnType<Environment["parse"]> & { readonly ast: ASTNode };

/**
 * True where the expression may take long for its length: it has a loop, or works on texts that grow or that a pattern is
 * tried on. False for those that end at once.
 */
export function mayTakeLong(expression: string): boolean {
  return /\.\s*(?:all|exists|exists_one|map|filter|matches|replace|transformList|transformMap\w*)\s*\(/.test(
    expression,
  );
}

/** Parses; throws an `ExpressionError` that points at what cannot be read. */
export function parseProgram(language: Environment, expression: string): Program {
  if (expression.trim() === "") {
    throw new ExpressionError("The expression is empty", 0, "Write ${{ db.port + 1 }}, or $${{ for a plain ${{");
  }
  try {
    return language.parse(renameVariables(expression)) as Program;
  } catch (error) {
    throw toExpressionError(error);
  }
}

/** The library's error in our words. Messages of the library name types, keys and operators, never values. */
export function toExpressionError(thrown: unknown): ExpressionError {
  if (thrown instanceof ExpressionError) return thrown;
  const { summary, range, code, message } = thrown as {
    summary?: string;
    message?: string;
    range?: { start?: number };
    code?: string;
  };
  const said = (summary ?? message ?? "it failed").replaceAll(variablesName, "var").replace(/\.$/, "");
  const text = code === "conversion_error" ? "a conversion failed" : said;
  return new ExpressionError(
    `The expression cannot be evaluated: ${text.charAt(0).toLowerCase()}${text.slice(1)}`,
    range?.start ?? 0,
    hintFor(code, said),
  );
}

function hintFor(code: string | undefined, said: string): string {
  if (code === "no_such_key") return "Check the name, or write a.?b.orValue(…) for a key that may be missing";
  if (/overload/.test(said) && /double/.test(said) && /int/.test(said)) {
    return "Whole numbers and decimals do not mix: write double(x) or int(x)";
  }
  if (/overload/.test(said) && /string/.test(said)) return "Numbers and text do not mix: write string(x) or int(x)";
  return "Expressions are CEL: see docs/configuration.md";
}
