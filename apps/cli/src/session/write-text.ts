import { writeFileSync } from "node:fs";
import { resolve } from "node:path";
import { WfctlError } from "@wfctl/model";
import type { Context } from "../context.ts";

/** Writes a text to a file, or to standard output where none is named. */
export function writeText(file: string | undefined, text: string, context: Context): void {
  if (file === undefined) {
    context.stdout.write(text);
    return;
  }
  try {
    writeFileSync(resolve(context.cwd, file), text);
  } catch (cause) {
    throw new WfctlError("USAGE", `Cannot write "${file}"`, {
      hint: "Name a file in a folder that exists and can be written",
      cause,
    });
  }
}
