import { writeSync } from "node:fs";

import { storeDrivers } from "../../lib/drivers.ts";
import { serveFixture } from "../../lib/serve.ts";

const chunk = Buffer.alloc(64 * 1024, "x");
/** Blocks, as a Go plugin would, until someone reads. */
function flood(descriptor: number, bytes: number): void {
  for (let written = 0; written < bytes; ) {
    try {
      written += writeSync(descriptor, chunk);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "EAGAIN") throw error;
    }
  }
}

writeSync(2, Buffer.from([0xff, 0xfe, 0x00, 0x1b, 0x5b, 0x33, 0x31, 0x6d, 0x0a]));
flood(2, 2 * 1024 * 1024);
serveFixture({
  driver: {
    ...storeDrivers(),
    scale() {},
    healthCheck() {},
    read(call, callback) {
      flood(1, 2 * 1024 * 1024);
      flood(2, 2 * 1024 * 1024);
      writeSync(2, "\nlast words\n");
      storeDrivers().read?.(call, callback);
    },
  },
});
