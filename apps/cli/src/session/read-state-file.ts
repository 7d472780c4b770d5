import { readFileSync, statSync } from "node:fs";
import { resolve } from "node:path";
import { WfctlError, type Json } from "@wfctl/model";
import type { Context } from "../context.ts";

/** What `state import --from` names: a folder, or a file with its content. Throws with line and column where it is no JSON. */
export function readStateFile(
  from: string,
  context: Pick<Context, "cwd">,
): { readonly path: string; readonly content: Json | undefined } {
  const path = resolve(context.cwd, from);
  const stat = statSync(path, { throwIfNoEntry: false });
  if (stat === undefined) {
    throw new WfctlError("USAGE", `Cannot import from "${path}": there is no such file or folder`, {
      hint: "Name a state file of Terraform, Pulumi or wfctl, or the folder with upstream's records",
    });
  }
  if (stat.isDirectory()) return { path, content: undefined };
  let bytes: Buffer;
  try {
    bytes = readFileSync(path);
  } catch (cause) {
    throw new WfctlError("USAGE", `Cannot import from "${path}": the file cannot be read`, {
      hint: "Check its permissions",
      cause,
    });
  }
  return { path, content: parse(path, bytes) };
}

function parse(path: string, bytes: Buffer): Json {
  const refuse = (why: string, hint = "Take the file anew from the tool that wrote it"): WfctlError =>
    new WfctlError("IMPORT_INVALID", `Cannot import from "${path}": ${why}`, { hint: `${hint}; nothing was imported` });
  if (bytes.length === 0) throw refuse("the file is empty");
  if (bytes[0] === 0x50 && bytes[1] === 0x4b) throw refuse("it is an archive, such as a saved plan of Terraform");
  let text: string;
  try {
    text = new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch {
    throw refuse("it is not UTF-8", "Write it anew as UTF-8: PowerShell's > writes UTF-16");
  }
  try {
    return JSON.parse(text) as Json;
  } catch (cause) {
    const message = cause instanceof Error ? cause.message : String(cause);
    // The parser's message quotes the file, which holds secrets: only the place is taken from it.
    const at = /at position (\d+)/.exec(message)?.[1];
    throw refuse(`it is no JSON${at === undefined ? ", it ends too early" : ` at ${placeOf(text, Number(at))}`}`);
  }
}

function placeOf(text: string, position: number): string {
  const before = text.slice(0, position).split("\n");
  return `line ${before.length}, column ${(before.at(-1) ?? "").length + 1}`;
}
