import { serveFixture } from "../../lib/serve.ts";

serveFixture({ garbled: "Capabilities" });
