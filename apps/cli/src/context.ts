/** Where text goes. */
export interface Output {
  write(text: string): void;
  readonly isTerminal: boolean;
  /** Width of the terminal; undefined elsewhere. */
  readonly columns: number | undefined;
}

/** The world of one command: everything it knows of the process that it runs in. */
export interface Context {
  readonly cwd: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly stdout: Output;
  readonly stderr: Output;
  readonly stdin: NodeJS.ReadStream;
  /** ANSI colours on standard output. */
  readonly color: boolean;
  /** Removes and installs signal handlers, as `process` does. */
  readonly signals: Pick<NodeJS.Process, "on" | "off">;
  /** Ends the process at once, without what is still open. */
  exit(code: number): never;
}

/** The context of the real process. A reader that went away (`| head`) silences an output and does not end the command. */
export function processContext(): Context {
  const { env } = process;
  return {
    cwd: workingFolder(),
    env,
    stdout: createOutput(process.stdout),
    stderr: createOutput(process.stderr),
    // Opening it costs a millisecond that only a prompt needs.
    get stdin() {
      return process.stdin;
    },
    color: wantsColor(env, process.stdout.isTTY === true),
    signals: process,
    exit: (code) => process.exit(code),
  };
}

/** Where the folder was removed under the process, one that is not there: what is looked for in it is told to be missing. */
function workingFolder(): string {
  try {
    return process.cwd();
  } catch {
    return "/(the working folder was removed)";
  }
}

export function wantsColor(env: Context["env"], isTerminal: boolean): boolean {
  if ((env["NO_COLOR"] ?? "") !== "") return false;
  const forced = env["FORCE_COLOR"] ?? "";
  if (forced !== "") return forced !== "0";
  return isTerminal && env["TERM"] !== "dumb";
}

function createOutput(stream: NodeJS.WriteStream): Output {
  let gone = false;
  const fail = (error: NodeJS.ErrnoException): void => {
    if (gone) return;
    gone = true;
    if (error.code === "EPIPE") return;
    // What was asked for is not whole (a full disk): a command that went well otherwise has not.
    process.once("exit", (code) => {
      if (code === 0) process.exitCode = 1;
    });
    if (stream !== process.stderr) process.stderr.write(`Writing the output failed: ${error.message}\n`);
  };
  stream.on("error", fail);
  const written = (error: NodeJS.ErrnoException | null | undefined): void => {
    if (error !== null && error !== undefined) fail(error);
  };
  return {
    write(text) {
      if (!gone) stream.write(text, written);
    },
    isTerminal: stream.isTTY === true,
    get columns() {
      return stream.columns;
    },
  };
}
