import { parseTemplate } from "../template.ts";

/** A text of a stack file that is read as exactly this text, whatever dollars and braces are in it. */
export function escapeText(text: string): string {
  if (!text.includes("$")) return text;
  const escaped = text.replaceAll("${", () => "$${");
  const { value, problems } = parseTemplate(escaped);
  if (problems.length === 0 && value === text) return escaped;
  // What an escape cannot say, a literal of an expression can.
  return `\${{ ${JSON.stringify(text).replaceAll("{", "\\u007b").replaceAll("}", "\\u007d")} }}`;
}
