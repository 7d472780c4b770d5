import type { LogChunk } from "@wfctl/plugin-sdk";
import type { Context } from "../calls.ts";

/** Lines that wait for the host; a host that reads slower loses the oldest. */
const maxWaiting = 10_000;

/** What the platform writes to a live connection, until it ends it, the time is over, or the host leaves. */
export async function* followLive(
  url: string,
  limitMs: number,
  context: Context,
): AsyncGenerator<LogChunk, void, undefined> {
  const socket = new WebSocket(url);
  const waiting: string[] = [];
  let isOver = false;
  let wake = Promise.withResolvers<void>();
  const end = (): void => {
    isOver = true;
    wake.resolve();
  };
  socket.addEventListener("message", ({ data }) => {
    waiting.push(textOf(data));
    if (waiting.length > maxWaiting) waiting.shift();
    wake.resolve();
  });
  socket.addEventListener("close", end);
  socket.addEventListener("error", end);
  context.signal.addEventListener("abort", end, { once: true });
  context.stopping.addEventListener("abort", end, { once: true });
  const timer = limitMs > 0 ? setTimeout(end, limitMs) : undefined;
  try {
    for (;;) {
      const text = waiting.splice(0).join("");
      if (text !== "") yield { data: Buffer.from(text), source: "live" };
      else if (isOver) return;
      else {
        await wake.promise;
        wake = Promise.withResolvers();
      }
    }
  } finally {
    clearTimeout(timer);
    context.signal.removeEventListener("abort", end);
    context.stopping.removeEventListener("abort", end);
    socket.close();
  }
}

/** A message is JSON with the text in `data`, or the text itself. */
function textOf(message: unknown): string {
  const text = String(message);
  try {
    const found = JSON.parse(text) as { data?: unknown };
    return typeof found.data === "string" ? found.data : text;
  } catch {
    return text;
  }
}
