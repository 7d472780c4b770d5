import { createInterface } from "node:readline";
import { WfctlError } from "@wfctl/model";
import type { Context } from "../context.ts";

/**
 * Asks a yes-or-no question on the terminal. Only "yes" is a yes, as the question says; the end of input is a no.
 * Throws CONFIRMATION_REQUIRED where there is no terminal to ask on. Rejects with the signal's reason when it aborts.
 */
export async function confirm(question: string, context: Context, signal: AbortSignal): Promise<boolean> {
  if (context.stdin.isTTY !== true || !context.stdout.isTerminal) {
    throw new WfctlError("CONFIRMATION_REQUIRED", "Cannot ask for a yes: there is no terminal", {
      hint: "Run it on a terminal, or say yes beforehand with --auto-approve",
    });
  }
  signal.throwIfAborted();
  context.stdout.write(`${question} Only "yes" goes on: `);
  // Without line editing the terminal itself turns Ctrl-C into a signal.
  const lines = createInterface({ input: context.stdin, terminal: false });
  try {
    const answer = await new Promise<string>((resolve, reject) => {
      lines.once("line", resolve);
      lines.once("close", () => resolve(""));
      signal.addEventListener("abort", () => reject(signal.reason as Error), { once: true });
    });
    return /^yes$/i.test(answer.trim());
  } finally {
    lines.close();
    context.stdin.unref?.();
  }
}
