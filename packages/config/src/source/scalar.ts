/** What a plain scalar means in the YAML core schema, or why it cannot be kept as JSON. */
export type ScalarReading =
  | { readonly value: null | boolean | number | string }
  | { readonly value: string; readonly problem: string; readonly hint: string };

const words = new Map<string, null | boolean>([
  ["", null],
  ["~", null],
  ["null", null],
  ["Null", null],
  ["NULL", null],
  ["true", true],
  ["True", true],
  ["TRUE", true],
  ["false", false],
  ["False", false],
  ["FALSE", false],
]);

const decimalPattern = /^[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?$/;
const integerPattern = /^[-+]?[0-9]+$/;
const prefixedPattern = /^0(?:o[0-7]+|x[0-9a-fA-F]+)$/;
const notFinitePattern = /^(?:[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN))$/;

/** Reads a plain (unquoted) scalar by the core schema: no dates, no `yes` and `no`, decimal integers only. */
export function readPlainScalar(text: string): ScalarReading {
  const first = text.charCodeAt(0);
  // Letters that begin no word of the schema are by far the most common case.
  if (first > 57 && first !== 126 && first !== 110 && first !== 78 && first !== 116 && first !== 84) {
    if (first !== 102 && first !== 70) return { value: text };
  }
  const word = words.get(text);
  if (word !== undefined) return { value: word };
  if (decimalPattern.test(text)) return readNumber(text);
  if (prefixedPattern.test(text)) return safeInteger(text, Number(text));
  if (notFinitePattern.test(text)) {
    return { value: text, problem: `${text} is not a number that can be kept`, hint: "Quote it if it is text" };
  }
  return { value: text };
}

function readNumber(text: string): ScalarReading {
  if (!integerPattern.test(text)) {
    const value = Number(text);
    if (Number.isFinite(value)) return { value };
    return {
      value: text,
      problem: `The number ${text} is too large to be kept`,
      hint: `Write "${text}" if it is text`,
    };
  }
  if (/^[-+]?0[0-9]/.test(text)) {
    return {
      value: text,
      problem: `The number ${text} begins with 0, which some read as octal and some as decimal`,
      hint: `Write "${text}" for text, or 0o${text.replace(/^[-+]?0+/, "") || "0"} for an octal number`,
    };
  }
  return safeInteger(text, Number(text));
}

function safeInteger(text: string, value: number): ScalarReading {
  if (Number.isSafeInteger(value)) return { value: value === 0 ? 0 : value };
  return {
    value: text,
    problem: `The number ${text} is too large to be kept exactly`,
    hint: `Write it as text: "${text}"`,
  };
}
