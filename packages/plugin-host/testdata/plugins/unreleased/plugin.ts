import { storeDrivers } from "../../lib/drivers.ts";
import { serveFixture } from "../../lib/serve.ts";

serveFixture({ driver: storeDrivers(), manifest: { name: "unreleased", version: "(devel) abc123" } });
