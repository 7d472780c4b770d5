import type { Context } from "../src/context.ts";
import { createHumanView, type HumanViewOptions } from "../src/views/human/human-view.ts";
import { createJsonView } from "../src/views/json/json-view.ts";
import type { View } from "../src/views/view.ts";

export interface Recorded {
  readonly context: Context;
  readonly stdout: () => string;
  readonly stderr: () => string;
}

/** A context that keeps what is written. */
export function recordContext(options: { terminal?: boolean; color?: boolean; env?: Context["env"] } = {}): Recorded {
  let stdout = "";
  let stderr = "";
  const terminal = options.terminal === true;
  const output = (write: (text: string) => void) => ({
    write,
    isTerminal: terminal,
    columns: terminal ? 80 : undefined,
  });
  return {
    context: {
      cwd: "/nowhere",
      env: options.env ?? {},
      stdout: output((text) => (stdout += text)),
      stderr: output((text) => (stderr += text)),
      stdin: process.stdin,
      color: options.color === true,
      signals: process,
      exit: (code) => {
        throw new Error(`exit ${code}`);
      },
    },
    stdout: () => stdout,
    stderr: () => stderr,
  };
}

/** What the view for people prints on standard output, then on standard error. */
export function shown(act: (view: View) => void, options: HumanViewOptions & { color?: boolean } = {}): string {
  const recorded = recordContext(options.color === true ? { color: true } : {});
  act(createHumanView(recorded.context, { now: () => 0, ...options }));
  return recorded.stdout() + recorded.stderr();
}

/** What the view for programs prints, one JSON value a line, indented for reading. */
export function printed(act: (view: View) => void, stream = false): string {
  const recorded = recordContext();
  act(createJsonView(recorded.context, { stream, now: () => 0 }));
  const lines = recorded.stdout().split("\n").slice(0, -1);
  return `${lines.map((line) => JSON.stringify(JSON.parse(line), undefined, 2)).join("\n")}\n`;
}
