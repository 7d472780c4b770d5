import { StringDecoder } from "node:string_decoder";
import type { Readable } from "node:stream";

const maxLineChars = 16 * 1024;

/** Takes bytes in any pieces and gives lines. */
export interface LineSplitter {
  push(chunk: Uint8Array): void;
  /** Gives what is left as the last line. */
  end(): void;
}

/** Lines without end are handed on in pieces, bytes that are no UTF-8 as U+FFFD. */
export function createLineSplitter(onLine: (line: string) => void): LineSplitter {
  const decoder = new StringDecoder("utf8");
  let rest = "";
  const take = (text: string): void => {
    const lines = (rest + text).split("\n");
    rest = lines.pop() ?? "";
    for (const line of lines) emitPieces(line, onLine);
    if (rest.length >= maxLineChars) {
      emitPieces(rest, onLine);
      rest = "";
    }
  };
  return {
    push: (chunk) => take(decoder.write(Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength))),
    end() {
      take(decoder.end());
      if (rest !== "") emitPieces(rest, onLine);
      rest = "";
    },
  };
}

/** Reads a stream to its end, for as long as it lives. */
export function readLines(stream: Readable, onLine: (line: string) => void): void {
  const lines = createLineSplitter(onLine);
  stream.on("data", (chunk: Buffer) => lines.push(chunk));
  stream.on("end", () => lines.end());
  // A broken pipe is the end of the plugin, which is told elsewhere.
  stream.on("error", () => {});
}

/** Takes out what would move the cursor or colour the host's terminal. */
export function stripControls(line: string): string {
  // oxlint-disable-next-line no-control-regex
  return line.replaceAll(/\u001b\[[0-9;?]*[ -/]*[@-~]|[\u0000-\u0008\u000b-\u001f\u007f]/g, "");
}

function emitPieces(line: string, onLine: (line: string) => void): void {
  const text = line.endsWith("\r") ? line.slice(0, -1) : line;
  for (let start = 0; start < text.length || start === 0; start += maxLineChars) {
    onLine(text.slice(start, start + maxLineChars));
  }
}
