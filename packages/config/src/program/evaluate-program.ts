import { spawn } from "node:child_process";
import type { Readable } from "node:stream";
import { fileURLToPath } from "node:url";
import type { ProgramReply } from "./protocol.ts";

/** How long a program may take, in milliseconds. */
const programTimeoutMs = 20_000;

/** Most memory of a program for its values, in mebibytes: several times what a stack of fifty thousand resources needs. */
const programMemoryMb = 1024;

/** How long what a program has printed is waited for once it has ended, in milliseconds. */
const outputLimitMs = 1_000;

/** Keys of the state are no business of a program. */
const withheld = /^WFCTL_(?:KEY|KEY_FILE|PASSPHRASE|NEW_KEY)$/;

/**
 * Evaluates a stack program in a process of its own, which is ended at the latest after `timeoutMs`, and where its
 * values take more than `memoryMb` mebibytes. What the program prints goes to standard error. Never throws for what the program does.
 */
export async function evaluateProgram(
  file: string,
  environment: string | undefined,
  timeoutMs = programTimeoutMs,
  memoryMb = programMemoryMb,
): Promise<ProgramReply> {
  const env = Object.fromEntries(Object.entries(process.env).filter(([name]) => !withheld.test(name)));
  const child = spawn(
    process.execPath,
    [
      "--disable-warning=ExperimentalWarning",
      "--disable-warning=MODULE_TYPELESS_PACKAGE_JSON",
      `--max-old-space-size=${memoryMb}`,
      // Beside this file in the sources, beside the bundle when built.
      fileURLToPath(
        import.meta.url.endsWith(".ts")
          ? new URL("./stack-program.ts", import.meta.url)
          : new URL("./stack-program.js", import.meta.url),
      ),
      file,
      ...(environment === undefined ? [] : [environment]),
    ],
    { stdio: ["ignore", "pipe", "pipe", "ipc"], env },
  );
  const said = [passOn(child.stdout), passOn(child.stderr)];
  let timedOut = false;
  const timer = setTimeout(() => {
    timedOut = true;
    child.kill("SIGKILL");
  }, timeoutMs);
  try {
    return await new Promise<ProgramReply>((resolve, reject) => {
      let reply: ProgramReply | undefined;
      child.once("message", (message) => {
        reply = message as ProgramReply;
      });
      child.once("error", reject);
      const ended = (code: number | null, signal: NodeJS.Signals | null): void => {
        if (reply !== undefined) resolve(reply);
        else if (timedOut) {
          resolve({
            problem: `The program did not end within ${timeoutMs / 1000} s`,
            hint: "Look for a loop without an end, or for something that waits",
          });
        } else if (said.some((one) => one.ranOutOfMemory())) {
          resolve({
            problem: `The program ran out of memory: its values take more than ${memoryMb} MiB`,
            hint: "Look for a loop that collects without an end",
          });
        } else {
          const how = signal === null ? `exit code ${code ?? 0}` : `signal ${signal}`;
          resolve({ problem: `The program ended with ${how} before it gave a stack`, hint: "Do not end the process" });
        }
      };
      child.once("close", ended);
      // Something that the program has started may hold its output open.
      child.once("exit", (code, signal) => setTimeout(() => ended(code, signal), outputLimitMs).unref());
    });
  } finally {
    clearTimeout(timer);
    child.stdout?.destroy();
    child.stderr?.destroy();
  }
}

/** The first line that V8 writes when it gives up, with what follows it: of use to those who work on V8. */
const lastWords = /^(?:<--- Last few GCs --->|FATAL ERROR: |# Fatal |----- Native stack trace -----)/m;

/** Passes on what the program prints to standard error, as it comes, but for what V8 says at its end. */
function passOn(output: Readable | null): { ranOutOfMemory(): boolean } {
  let pending = "";
  let last = "";
  output?.setEncoding("utf8");
  const pass = (text: string): void => {
    if (text !== "") process.stderr.write(text);
  };
  output?.on("data", (text: string) => {
    if (last !== "") {
      if (last.length < maxLastWords) last += text;
      return;
    }
    pending += text;
    const match = lastWords.exec(pending);
    if (match !== null) {
      pass(pending.slice(0, match.index).trimEnd());
      last = pending.slice(match.index);
      pending = "";
      return;
    }
    // The beginning of a line may be that of V8's last words: it waits for its end.
    const end = pending.lastIndexOf("\n") + 1;
    pass(pending.slice(0, end));
    pending = pending.slice(end);
  });
  output?.once("end", () => {
    pass(pending);
    pending = "";
  });
  return { ranOutOfMemory: () => /out of memory|heap limit/i.test(last) };
}

const maxLastWords = 100_000;
