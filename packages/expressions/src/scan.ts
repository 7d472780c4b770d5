/** A stretch of an expression: the inside of a text literal, or everything else. */
interface Stretch {
  readonly start: number;
  readonly end: number;
  readonly literal: boolean;
}

/**
 * Offset of the `}}` that closes an expression which begins at `from`; -1 where none does. Braces of map literals and
 * whatever stands in text literals do not close it.
 */
export function findClosing(text: string, from: number): number {
  let depth = 0;
  for (const { start, end, literal } of stretches(text, from)) {
    if (literal) continue;
    for (let index = start; index < end; index += 1) {
      const character = text[index];
      if (character === "{") depth += 1;
      else if (character === "}") {
        if (depth === 0) return text[index + 1] === "}" ? index : -1;
        depth -= 1;
      }
    }
  }
  return -1;
}

/** The expression with the word `var` where it stands for variables replaced by one of equal length that the library takes. */
export function renameVariables(expression: string): string {
  let result = "";
  for (const { start, end, literal } of stretches(expression, 0)) {
    const part = expression.slice(start, end);
    result += literal ? part : part.replaceAll(/(?<![A-Za-z0-9_.])var(?![A-Za-z0-9_])/g, variablesName);
  }
  return result;
}

/** `var` is a reserved word of the language. */
export const variablesName = "v_r";

function* stretches(text: string, from: number): Generator<Stretch> {
  let start = from;
  let index = from;
  while (index < text.length) {
    const quote = text[index];
    if (quote !== '"' && quote !== "'") {
      index += 1;
      continue;
    }
    const raw = /[rR]/.test(text[index - 1] ?? "") && !/[A-Za-z0-9_]/.test(text[index - 2] ?? " ");
    yield { start, end: index, literal: false };
    const end = endOfLiteral(text, index, quote, raw);
    yield { start: index, end, literal: true };
    start = end;
    index = end;
  }
  yield { start, end: text.length, literal: false };
}

function endOfLiteral(text: string, from: number, quote: string, raw: boolean): number {
  const triple = quote.repeat(3);
  const closing = text.startsWith(triple, from) ? triple : quote;
  let index = from + closing.length;
  while (index < text.length) {
    if (!raw && text[index] === "\\") index += 2;
    else if (text.startsWith(closing, index)) return index + closing.length;
    else index += 1;
  }
  return text.length;
}
