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
    cwd: process.cwd(),
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

export function wantsColor(env: Context["env"], isTerminal: boolean): boolean {
  if ((env["NO_COLOR"] ?? "") !== "") return false;
  const forced = env["FORCE_COLOR"] ?? "";
  if (forced !== "") return forced !== "0";
  return isTerminal && env["TERM"] !== "dumb";
}

function createOutput(stream: NodeJS.WriteStream): Output {
  let gone = false;
  stream.on("error", (error: NodeJS.ErrnoException) => {
    gone = true;
    if (error.code !== "EPIPE") process.exitCode = 1;
  });
  return {
    write(text) {
      if (!gone) stream.write(text);
    },
    isTerminal: stream.isTTY === true,
    get columns() {
      return stream.columns;
    },
  };
}
