import { ExpressionError, findClosing, readReferences } from "@wfctl/expressions";
import type { ComputedPart, Expression, Reference, TemplatePart } from "@wfctl/model";

/** What is wrong with a text that holds `${`. */
export interface TemplateProblem {
  /** UTF-16 units from the start of the text. */
  readonly offset: number;
  /** From there to the mistake, where that is known. */
  readonly within?: number;
  readonly summary: string;
  readonly hint: string;
}

export interface ParsedTemplate {
  /** Plain text where the template refers to nothing (escapes are undone), else the expression. */
  readonly value: string | Expression;
  readonly problems: readonly TemplateProblem[];
}

const variablePattern = /^[A-Za-z_][A-Za-z0-9_]*$/;
const bareVariablePattern = /^\$([A-Za-z_][A-Za-z0-9_]*)$/;

/**
 * Reads one text by the one grammar of references:
 * `${NAME}` is an environment variable, `${resource.output}` is split at its first dot, `$NAME` counts only as the whole
 * text, `${{ … }}` is computed (CEL), `$${` stands for a plain `${`. Everything else, single `$` included, is kept as it is.
 * A reference that cannot be read is a problem and stays in the text.
 */
export function parseTemplate(text: string): ParsedTemplate {
  if (!text.includes("$")) return { value: text, problems: [] };
  const bare = bareVariablePattern.exec(text);
  if (bare?.[1] !== undefined) return { value: { $expr: [{ env: bare[1] }] }, problems: [] };

  const parts: TemplatePart[] = [];
  const problems: TemplateProblem[] = [];
  let literal = "";
  let from = 0;
  for (;;) {
    const open = text.indexOf("${", from);
    if (open < 0) break;
    if (open > from && text[open - 1] === "$") {
      literal += `${text.slice(from, open - 1)}\${`;
      from = open + 2;
      continue;
    }
    literal += text.slice(from, open);
    if (text[open + 2] === "{") {
      const computed = readComputed(text, open);
      if ("summary" in computed) problems.push({ offset: open, ...computed });
      else {
        if (literal !== "") parts.push(literal);
        literal = "";
        parts.push(computed.part);
      }
      if (computed.end < 0) {
        literal += text.slice(open);
        from = text.length;
        break;
      }
      from = computed.end;
      continue;
    }
    const close = text.indexOf("}", open);
    if (close < 0) {
      problems.push({ offset: open, summary: "The reference is not closed, expected a }", hint: escapeHint });
      literal += text.slice(open);
      from = text.length;
      break;
    }
    const reference = readReference(text.slice(open + 2, close));
    if ("summary" in reference) {
      problems.push({ offset: open, ...reference });
      literal += text.slice(open, close + 1);
    } else {
      if (literal !== "") parts.push(literal);
      literal = "";
      parts.push(reference);
    }
    from = close + 1;
  }
  literal += text.slice(from);
  if (parts.length === 0) return { value: literal, problems };
  if (literal !== "") parts.push(literal);
  return { value: { $expr: parts }, problems };
}

type Computed =
  | { readonly part: ComputedPart; readonly end: number }
  | (Omit<TemplateProblem, "offset"> & { readonly end: number });

/** `${{ … }}` at an offset of the text. */
function readComputed(text: string, open: number): Computed {
  const start = open + 3;
  const close = findClosing(text, start);
  if (close < 0) return { end: -1, summary: "The expression is not closed, expected }}", hint: escapeHint };
  const computed = text.slice(start, close);
  try {
    const refs = readReferences(computed).map((reference): Reference => {
      if ("variable" in reference) return { env: `var.${reference.variable}` };
      if ("env" in reference) return { env: reference.env };
      return { resource: reference.resource, path: reference.path };
    });
    return { part: { computed, refs }, end: close + 2 };
  } catch (error) {
    if (!(error instanceof ExpressionError)) throw error;
    return { end: close + 2, within: error.offset + 3, summary: error.message, hint: error.hint };
  }
}

const escapeHint = "Write $${ for a plain ${";

function readReference(body: string): Reference | Omit<TemplateProblem, "offset"> {
  if (body.trim() === "") return { summary: "The reference ${} is empty", hint: escapeHint };
  const written = `\${${body}}`;
  const dot = body.indexOf(".");
  if (dot < 0) {
    if (variablePattern.test(body)) return { env: body };
    if (variablePattern.test(body.trim())) {
      return { summary: `The reference "${written}" holds spaces`, hint: `Write \${${body.trim()}}` };
    }
    if (/^[A-Za-z0-9_-]+$/.test(body)) {
      return {
        summary: `The reference "${written}" names neither an environment variable nor a resource's output`,
        hint: `Write \${${body}.id} for the id of a resource`,
      };
    }
    return {
      summary: `The reference "${written}" is not the name of an environment variable`,
      hint: `Write an expression as \${{ … }}. ${escapeHint}`,
    };
  }
  const resource = body.slice(0, dot);
  const path = body.slice(dot + 1);
  if (resource === "")
    return { summary: `The reference "${written}" has no resource before its dot`, hint: "Write ${resource.output}" };
  if (path === "")
    return {
      summary: `The reference "${written}" has no output after its dot`,
      hint: `Write \${${resource}.id} for the id`,
    };
  if (/\s/.test(body)) {
    return {
      summary: `The reference "${written}" holds spaces`,
      hint: `Write \${${body.replaceAll(/\s+/g, "")}}, or $\${ for a plain \${`,
    };
  }
  if (/[{$]/.test(body)) {
    return {
      summary: `The reference "${written}" holds another one`,
      hint: `References cannot be nested. ${escapeHint}`,
    };
  }
  return { resource, path };
}
