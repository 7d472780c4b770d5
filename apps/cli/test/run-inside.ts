import { join } from "node:path";
import { runCli } from "../src/cli.ts";
import type { Context, Output } from "../src/context.ts";

export interface RanInside {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs one command line in this process, in a folder that is its home as well, with nothing else in its environment. */
export async function runInside(folder: string, ...argv: readonly string[]): Promise<RanInside> {
  let stdout = "";
  let stderr = "";
  const output = (write: (text: string) => void): Output => ({ write, isTerminal: false, columns: undefined });
  const context: Context = {
    cwd: folder,
    env: {
      PATH: process.env["PATH"],
      HOME: folder,
      XDG_CACHE_HOME: join(folder, "cache"),
      XDG_CONFIG_HOME: join(folder, "config"),
    },
    stdout: output((text) => (stdout += text)),
    stderr: output((text) => (stderr += text)),
    stdin: process.stdin,
    color: false,
    signals: process,
    exit: (code) => {
      throw new Error(`exit ${code}`);
    },
  };
  const code = await runCli(argv, context);
  return { code, stdout, stderr };
}
