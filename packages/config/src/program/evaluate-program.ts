import { spawn } from "node:child_process";
import { fileURLToPath } from "node:url";
import type { ProgramReply } from "./protocol.ts";

/** How long a program may take, in milliseconds. */
const programTimeoutMs = 20_000;

/** Most memory of a program for its values, in mebibytes: several times what a stack of fifty thousand resources needs. */
const programMemoryMb = 1024;

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
    { stdio: ["ignore", 2, 2, "ipc"], env },
  );
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
      child.once("close", (code, signal) => {
        if (reply !== undefined) resolve(reply);
        else if (timedOut) {
          resolve({
            problem: `The program did not end within ${timeoutMs / 1000} s`,
            hint: "Look for a loop without an end, or for something that waits",
          });
        } else if (signal === "SIGABRT" || code === 134) {
          resolve({
            problem: `The program ran out of memory: its values take more than ${memoryMb} MiB`,
            hint: "Look for a loop that collects without an end",
          });
        } else {
          const how = signal === null ? `exit code ${code ?? 0}` : `signal ${signal}`;
          resolve({ problem: `The program ended with ${how} before it gave a stack`, hint: "Do not end the process" });
        }
      });
    });
  } finally {
    clearTimeout(timer);
  }
}
