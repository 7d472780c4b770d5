import { serveFixture } from "../../lib/serve.ts";

serveFixture({ planVersion: "" });
