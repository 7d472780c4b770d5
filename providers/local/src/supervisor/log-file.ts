import { closeSync, fstatSync, openSync, renameSync, rmSync, writeSync } from "node:fs";

/** Appends what processes print; when the file is full it becomes `.1`, the older ones move on, the oldest goes. */
export interface LogFile {
  write(chunk: Uint8Array): void;
  setLimits(limits: { readonly max_bytes: number; readonly keep: number }): void;
}

export function openLogFile(path: string, limits: { readonly max_bytes: number; readonly keep: number }): LogFile {
  let { max_bytes: maxBytes, keep } = limits;
  let file = openSync(path, "a", 0o600);
  let size = fstatSync(file).size;
  const rotate = (): void => {
    closeSync(file);
    if (keep === 0) rmSync(path, { force: true });
    for (let number = keep; number > 0; number -= 1) {
      const from = number === 1 ? path : `${path}.${number - 1}`;
      try {
        renameSync(from, `${path}.${number}`);
      } catch {
        // Not that many yet.
      }
    }
    file = openSync(path, "a", 0o600);
    size = 0;
  };
  return {
    write(chunk) {
      if (size > 0 && size + chunk.byteLength > maxBytes) rotate();
      try {
        size += writeSync(file, chunk);
      } catch {
        // A full disk must not end the service.
      }
    },
    setLimits(next) {
      maxBytes = next.max_bytes;
      keep = next.keep;
    },
  };
}
