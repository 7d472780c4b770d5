import type { Server } from "@grpc/grpc-js";

import { storeDrivers } from "../../lib/drivers.ts";
import { serveFixture } from "../../lib/serve.ts";

let server: Server | undefined;

/** A create ends the server, and the process stays. */
serveFixture({
  more: (made) => {
    server = made;
  },
  driver: {
    ...storeDrivers(),
    create: () => {
      setInterval(() => {}, 1_000_000);
      server?.forceShutdown();
    },
  },
});
