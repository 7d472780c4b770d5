import { writeSync } from "node:fs";
import { format } from "node:util";
import { createLog, logLevels, type Log, type LogLevel } from "../author/log.ts";

/**
 * From here on nothing but `writeLine` reaches standard output, which belongs to the handshake: whatever else writes
 * there, such as a cloud's SDK, ends up in the log on standard error.
 */
export function claimStandardOutput(log: Log): { writeLine(line: string): void } {
  process.stdout.write = ((chunk: string | Uint8Array, ...rest: unknown[]): boolean => {
    const text = typeof chunk === "string" ? chunk : Buffer.from(chunk).toString("utf8");
    if (text.trim() !== "") log.debug(text.trimEnd());
    const done = rest.findLast((argument) => typeof argument === "function") as (() => void) | undefined;
    if (done !== undefined) queueMicrotask(done);
    return true;
  }) as typeof process.stdout.write;
  const say =
    (level: LogLevel) =>
    (...values: unknown[]): void =>
      log[level](format(...values));
  Object.assign(console, {
    log: say("debug"),
    info: say("info"),
    debug: say("debug"),
    warn: say("warn"),
    error: say("error"),
    trace: say("debug"),
  });
  return { writeLine: (line) => void writeSync(1, `${line}\n`) };
}

/** A log on standard error. A host that has gone is no reason to fail. */
export function standardErrorLog(environment: NodeJS.ProcessEnv): Log {
  process.stderr.on("error", () => {});
  const wanted = environment["WFCTL_PLUGIN_LOG"];
  const level = logLevels.find((name) => name === wanted) ?? "info";
  return createLog((line) => process.stderr.write(line), level);
}
