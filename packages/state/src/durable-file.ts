import { closeSync, fsyncSync, openSync, writeSync } from "node:fs";

/** Writes a file and waits until it is on the disk. The directory entry is a matter of `syncDirectory`. */
export function writeDurably(path: string, text: string, mode: number, flag: "w" | "a" = "w"): void {
  const file = openSync(path, flag, mode);
  try {
    const bytes = Buffer.from(text);
    for (let written = 0; written < bytes.length;) written += writeSync(file, bytes, written);
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
}

/** Makes names that were added to a directory or removed from it durable. */
export function syncDirectory(path: string): void {
  const directory = openSync(path, "r");
  try {
    fsyncSync(directory);
  } finally {
    closeSync(directory);
  }
}
