import { spawn } from "node:child_process";

import { storeDrivers } from "../../lib/drivers.ts";
import { note, serveFixture } from "../../lib/serve.ts";

// A helper in the plugin's own process group must not outlive it.
note("helper", String(spawn("sleep", ["300"], { stdio: "ignore" }).pid));
process.on("SIGTERM", () => {});
serveFixture({ driver: storeDrivers(), onShutdown() {} });
