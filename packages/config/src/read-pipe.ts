import { constants, openSync } from "node:fs";
import { Socket } from "node:net";

/** How long a pipe may be silent, in milliseconds. */
const silenceMs = 30_000;

/** Reads a pipe to its end. Rejects where nobody writes to it for some time, or too much comes. */
export async function readPipe(path: string, maxBytes: number, limitMs = silenceMs): Promise<Buffer> {
  // Opened without waiting for a writer, and read without a thread that could wait for one for ever.
  const fd = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
  const pipe = new Socket({ fd, readable: true, writable: false });
  const parts: Buffer[] = [];
  let bytes = 0;
  try {
    await new Promise<void>((resolve, reject) => {
      pipe.setTimeout(limitMs, () => reject(new Error(`nobody wrote to this pipe for ${limitMs / 1000} s`)));
      pipe.once("error", reject);
      pipe.once("end", resolve);
      pipe.on("data", (part: Buffer) => {
        bytes += part.length;
        parts.push(part);
        if (bytes > maxBytes) reject(new Error(`it is larger than ${maxBytes / 2 ** 20} MiB`));
      });
    });
  } finally {
    pipe.destroy();
  }
  return Buffer.concat(parts);
}
