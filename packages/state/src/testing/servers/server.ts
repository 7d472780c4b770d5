import { spawn, type ChildProcess } from "node:child_process";

/** A server that runs for the tests of one file. */
export interface TestServer {
  /** `http://127.0.0.1:PORT`, or what its kind of client wants. */
  readonly address: string;
  stop(): Promise<void>;
}

const startTimeoutMs = 180_000;

/** Starts a program that says where it listens, and resolves when it has: with the first group of `says`. */
export async function startProgram(
  command: string,
  args: readonly string[],
  says: RegExp,
  options: { readonly env?: NodeJS.ProcessEnv; readonly cwd?: string } = {},
): Promise<{ readonly child: ChildProcess; readonly said: string; stop(): Promise<void> }> {
  const child = spawn(command, args, { ...options, stdio: ["pipe", "pipe", "pipe"] });
  const gone = new Promise<void>((resolve) => child.once("close", () => resolve()));
  let output = "";
  const said = await new Promise<string>((resolve, reject) => {
    const fail = (why: string): void => {
      child.kill("SIGKILL");
      reject(new Error(`${command} ${why}:\n${output.slice(-4000)}`));
    };
    const timer = setTimeout(() => fail(`was not ready after ${startTimeoutMs} ms`), startTimeoutMs);
    const look = (chunk: Buffer): void => {
      output += chunk.toString();
      const found = says.exec(output);
      if (found === null) return;
      clearTimeout(timer);
      resolve(found[1] ?? "");
    };
    child.stdout.on("data", look);
    child.stderr.on("data", look);
    child.once("error", (error) => fail(`cannot be started (${error.message})`));
    child.once("close", (code) => {
      clearTimeout(timer);
      fail(`ended with ${code}`);
    });
  });
  return {
    child,
    said,
    async stop() {
      child.kill("SIGKILL");
      await gone;
    },
  };
}
