import { isUtf8 } from "node:buffer";
import { readFileSync, statSync } from "node:fs";

/** Largest file that is read, in bytes: far beyond what people write, and within what memory can hold. */
const maxBytes = 256 * 2 ** 20;

/**
 * Reads a file as UTF-8. Rejects with `code` as the file system gives it, with NOT_UTF8, or with a reason in words. What
 * never ends is not read: a device, a pipe that nobody writes to.
 */
export async function readText(path: string): Promise<string> {
  const bytes = await readBytes(path);
  const isWide = isUtf16(bytes);
  if (!isWide && isUtf8(bytes)) return bytes.toString("utf8");
  throw new NotUtf8Error(isWide ? "it is UTF-16, expected UTF-8" : "it is no UTF-8", findPlace(bytes));
}

async function readBytes(path: string): Promise<Buffer> {
  const stats = statSync(path);
  if (stats.isCharacterDevice() || stats.isBlockDevice()) throw new Error("it is a device, expected a file");
  if (stats.isFIFO()) return (await import("./read-pipe.ts")).readPipe(path, maxBytes);
  if (stats.size > maxBytes) throw tooLarge();
  // Reading a small file at once is quicker by all that a thread pool and its promises cost to start.
  return readFileSync(path);
}

function tooLarge(): Error {
  return new Error(`it is larger than ${maxBytes / 2 ** 20} MiB`);
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

/** By its mark, or by every other byte of its beginning, where text in UTF-8 has no zeros. */
function isUtf16(bytes: Buffer): boolean {
  const mark = bytes.subarray(0, 2).toString("hex");
  if (mark === "fffe" || mark === "feff") return true;
  if (bytes.length < 4) return false;
  const zeros = [0, 1, 2, 3].map((index) => bytes[index] === 0).join();
  return zeros === "true,false,true,false" || zeros === "false,true,false,true";
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
