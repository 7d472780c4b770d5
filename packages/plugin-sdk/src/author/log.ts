/** Lines for the host's log. Never secret values: the host prints them as they are. */
export interface Log {
  debug(message: string): void;
  info(message: string): void;
  warn(message: string): void;
  error(message: string): void;
}

export const logLevels = ["debug", "info", "warn", "error"] as const;
export type LogLevel = (typeof logLevels)[number];

/**
 * Writes `[LEVEL] message`, one line each, the form that go-plugin hosts sort by level.
 * Line breaks in a message become spaces, so that no part of it can pass for a line of its own.
 */
export function createLog(write: (line: string) => void, from: LogLevel = "info"): Log {
  const lowest = logLevels.indexOf(from);
  const at = (level: LogLevel) => (message: string) => {
    if (logLevels.indexOf(level) < lowest) return;
    write(`[${level.toUpperCase()}] ${message.replaceAll(/\s*\n\s*/g, " ")}\n`);
  };
  return { debug: at("debug"), info: at("info"), warn: at("warn"), error: at("error") };
}
