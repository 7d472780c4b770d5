import { readFile as readFileFromDisk } from "node:fs/promises";
import { resolve } from "node:path";
import type { Diagnostic } from "@wfctl/model";
import { findStackFile } from "../find-stack-file.ts";
import { loadStack } from "../load-stack.ts";
import { evaluateProgram } from "../program/evaluate-program.ts";
import { isProgram } from "../program/read-program.ts";
import { convertToProgram } from "./to-program.ts";
import { asDocument, convertToYaml } from "./to-yaml.ts";

export interface Converted {
  /** Absent where the stack has errors. */
  readonly text?: string;
  /** The other kind of file than the one that was read. */
  readonly to: "yaml" | "program";
  /** File that was read; empty where none was found. */
  readonly path: string;
  readonly diagnostics: readonly Diagnostic[];
}

/**
 * A stack file in YAML as a program, or a program as YAML. A program is evaluated for the given environment: what it does
 * otherwise for another one is not in the result. Imported files stay as they are.
 */
export async function convertStack(options: {
  readonly path?: string;
  readonly cwd: string;
  readonly environment?: string;
}): Promise<Converted> {
  const cwd = resolve(options.cwd);
  const main = await findStackFile(options.path, cwd, (path) => readFileFromDisk(path, "utf8"));
  if ("diagnostic" in main) return { to: "program", path: "", diagnostics: [main.diagnostic] };
  const { path, text } = main;
  const to = isProgram(path) ? "yaml" : "program";
  const environment = options.environment === undefined ? {} : { environment: options.environment };
  const first = await loadStack({ cwd, path, ...environment });
  const needsOne = options.environment === undefined && to === "program" ? first.environments[0] : undefined;
  const { stack, diagnostics } = needsOne === undefined ? first : await loadStack({ cwd, path, environment: needsOne });
  if (stack === undefined) return { to, path, diagnostics };
  if (to === "program") return { text: convertToProgram(text), to, path, diagnostics };
  const reply = await evaluateProgram(path, options.environment);
  const document = "document" in reply ? asDocument(reply.document) : undefined;
  if (!("document" in reply) || document === undefined) return { to, path, diagnostics };
  return { text: convertToYaml(document, reply.places, { path, text }), to, path, diagnostics };
}
