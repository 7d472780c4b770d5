import { writeSync } from "node:fs";

import { storeDrivers } from "../../lib/drivers.ts";
import { serveFixture } from "../../lib/serve.ts";

const chunk = Buffer.alloc(64 * 1024, "x");

/** Blocks, as a Go plugin would, until someone reads. */
function write(descriptor: number, bytes: Uint8Array): void {
  for (let written = 0; written < bytes.length; ) {
    try {
      written += writeSync(descriptor, bytes, written);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "EAGAIN") throw error;
    }
  }
}

function flood(descriptor: number): void {
  for (let count = 0; count < 32; count += 1) write(descriptor, chunk);
}

write(2, Buffer.from([0xff, 0xfe, 0x00, 0x1b, 0x5b, 0x33, 0x31, 0x6d, 0x0a]));
flood(2);
serveFixture({
  driver: {
    ...storeDrivers(),
    read(call, callback) {
      flood(1);
      flood(2);
      write(2, Buffer.from("\nlast words\n"));
      storeDrivers().read?.(call, callback);
    },
  },
});
