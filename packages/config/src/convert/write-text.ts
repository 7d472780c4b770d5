import { parseTemplate } from "../template.ts";

/** How a text of the stack becomes one of the program. */
export type TextWriter = (text: string) => string;

export const writeText: TextWriter = (text) => JSON.stringify(text);

/**
 * Texts in which references to constants of the program are references of the program: `${db.host}` with a constant `db`
 * becomes `db.outputs.host`. Everything else stays in the text, where it means the same.
 */
export function createTextWriter(constants: ReadonlyMap<string, string>): TextWriter {
  return (text) => {
    const { value, problems } = parseTemplate(text);
    if (typeof value === "string" || problems.length > 0) return writeText(text);
    const pieces = value.$expr.map((part) => {
      if (typeof part === "string") return { text: part.replaceAll("${", () => "$${") };
      if ("computed" in part) return { text: `\${{${part.computed}}}` };
      if ("env" in part) return { text: `\${${part.env}}` };
      const constant = constants.get(part.resource);
      const simple = /^[A-Za-z_]\w*$/.test(part.path);
      if (constant === undefined || !simple) return { text: `\${${part.resource}.${part.path}}` };
      return { code: part.path === "id" ? `${constant}.id` : `${constant}.outputs.${part.path}` };
    });
    if (!pieces.some((piece) => "code" in piece)) return writeText(text);
    const [only, second] = pieces;
    if (only !== undefined && second === undefined && "code" in only) return only.code as string;
    return `\`${pieces.map((piece) => ("code" in piece ? `\${${piece.code as string}}` : escapeTemplate(piece.text as string))).join("")}\``;
  };
}

function escapeTemplate(text: string): string {
  return text
    .replaceAll("\\", "\\\\")
    .replaceAll("`", "\\`")
    .replaceAll("${", () => "\\${");
}
