import type { Log } from "../author/log.ts";

/** How often the parent is looked for. */
const parentCheckMs = 500;

/**
 * Ties the process to its host: SIGINT belongs to the host and is ignored, SIGTERM and SIGHUP end the plugin, and so
 * does the death of the parent. `end` is called once, with the reason.
 */
export function watchLifetime(log: Log, end: (reason: string) => void): void {
  const parent = process.ppid;
  let ended = false;
  const once = (reason: string): void => {
    if (ended) return;
    ended = true;
    end(reason);
  };
  process.on("SIGINT", () => {});
  process.on("SIGTERM", () => once("SIGTERM"));
  process.on("SIGHUP", () => once("SIGHUP"));
  const timer = setInterval(() => {
    if (process.ppid !== parent) once("the host is gone");
  }, parentCheckMs);
  timer.unref();
  const crash = (error: unknown): void => {
    log.error(error instanceof Error ? (error.stack ?? error.message) : String(error));
    process.exit(1);
  };
  process.on("uncaughtException", crash);
  process.on("unhandledRejection", crash);
}
