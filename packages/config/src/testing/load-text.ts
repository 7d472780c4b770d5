import { resolve } from "node:path";
import type { Diagnostic } from "@wfctl/model";
import { loadStack } from "../load-stack.ts";
import type { LoadStackOptions, LoadStackResult, StackConfig } from "../stack.ts";

/** Loads a stack whose files are given as texts by path under `/stack`; one text is `infra.yaml`. */
export async function loadText(
  files: string | Readonly<Record<string, string>>,
  options: Partial<LoadStackOptions> = {},
): Promise<LoadStackResult> {
  const named = typeof files === "string" ? { "infra.yaml": files } : files;
  const texts = new Map(Object.entries(named).map(([path, text]) => [resolve("/stack", path), text]));
  const readFile = async (path: string): Promise<string> => {
    const text = texts.get(path);
    if (text !== undefined) return text;
    const folder = [...texts.keys()].some((file) => file.startsWith(`${path}/`));
    throw Object.assign(new Error(`cannot read ${path}`), { code: folder ? "EISDIR" : "ENOENT" });
  };
  return loadStack({ cwd: "/stack", env: {}, readFile, ...options });
}

/** The stack, or an error with what is wrong. */
export async function loadGood(
  files: string | Readonly<Record<string, string>>,
  options: Partial<LoadStackOptions> = {},
): Promise<StackConfig> {
  const { stack, diagnostics } = await loadText(files, options);
  if (stack === undefined) throw new Error(`the stack has errors:\n${diagnostics.map(lineOf).join("\n")}`);
  return stack;
}

/** `CODE file:line:column address#pointer: summary (hint)`, without what a diagnostic does not have. */
export function lineOf(diagnostic: Diagnostic): string {
  const { code, severity, source, address, path, summary, hint } = diagnostic;
  const place = source === undefined ? "" : ` ${[source.file, source.line, source.column].filter(Boolean).join(":")}`;
  const where = address === undefined && (path ?? "") === "" ? "" : ` ${address ?? ""}#${path ?? ""}`;
  return `${severity === "warning" ? "warning " : ""}${code}${place}${where}: ${summary}${hint === undefined ? "" : ` (${hint})`}`;
}
