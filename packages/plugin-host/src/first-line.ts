import type { Readable } from "node:stream";

/** More than any handshake; what is longer is none. */
const maxBytes = 64 * 1024;

/**
 * Reads up to the first newline and drains the stream from then on, for as long as it lives.
 * `end` where the stream ended before, `timeout` where the signal came first. Output without a newline counts as a line
 * once it is longer than any handshake, or when the stream ends.
 */
export function readFirstLine(
  stream: Readable,
  late: AbortSignal,
): Promise<{ readonly text: string } | "end" | "timeout"> {
  return new Promise((resolve) => {
    const chunks: Buffer[] = [];
    let length = 0;
    const finish = (result: { text: string } | "end" | "timeout"): void => {
      stream.off("data", onData);
      stream.off("end", onEnd);
      late.removeEventListener("abort", onLate);
      stream.resume();
      resolve(result);
    };
    const text = (end?: number): string => Buffer.concat(chunks).toString("utf8", 0, end);
    const onData = (chunk: Buffer): void => {
      const newline = chunk.indexOf(0x0a);
      chunks.push(chunk);
      if (newline >= 0) finish({ text: text(length + newline) });
      else if ((length += chunk.length) > maxBytes) finish({ text: text() });
    };
    const onEnd = (): void => finish(length === 0 ? "end" : { text: text() });
    const onLate = (): void => finish("timeout");
    stream.on("data", onData);
    stream.once("end", onEnd);
    // A broken pipe ends the stream as well.
    stream.on("error", onEnd);
    late.addEventListener("abort", onLate, { once: true });
    if (late.aborted) onLate();
  });
}
