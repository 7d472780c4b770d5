import { isUtf8 } from "node:buffer";
import { readFile } from "node:fs/promises";

/** Reads a file as UTF-8. Rejects with `code` as the file system gives it, or with NOT_UTF8. */
export async function readText(path: string): Promise<string> {
  const bytes = await readFile(path);
  if (isUtf8(bytes)) return bytes.toString("utf8");
  const mark = bytes.subarray(0, 2).toString("hex");
  const isWide = mark === "fffe" || mark === "feff";
  throw new NotUtf8Error(isWide ? "it is UTF-16, expected UTF-8" : "it is no UTF-8", findPlace(bytes));
}

/** The file is no text in UTF-8. */
export class NotUtf8Error extends Error {
  readonly code = "NOT_UTF8";
  /** Of the first byte that is none; both count from 1. */
  readonly place: { readonly line: number; readonly column: number };

  constructor(message: string, place: NotUtf8Error["place"]) {
    super(message);
    this.name = "NotUtf8Error";
    this.place = place;
  }
}

function findPlace(bytes: Buffer): NotUtf8Error["place"] {
  let low = 0;
  let high = bytes.length;
  // The longest beginning that can be read ends at the place.
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if (isUtf8(bytes.subarray(0, wholeCharacters(bytes, middle)))) low = middle;
    else high = middle - 1;
  }
  const before = bytes.subarray(0, wholeCharacters(bytes, low)).toString("utf8").split("\n");
  return { line: before.length, column: (before.at(-1) ?? "").length + 1 };
}

/** At most this many bytes, without the beginning of a character that goes on behind them. */
function wholeCharacters(bytes: Buffer, length: number): number {
  for (let back = 1; back <= Math.min(3, length); back += 1) {
    const byte = bytes[length - back] ?? 0;
    if (byte < 0x80) return length;
    if (byte >= 0xc0) {
      const size = byte >= 0xf0 ? 4 : byte >= 0xe0 ? 3 : 2;
      return size > back ? length - back : length;
    }
  }
  return length;
}
