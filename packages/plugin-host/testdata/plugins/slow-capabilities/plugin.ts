import { serveFixture } from "../../lib/serve.ts";

serveFixture({ required: { capabilities() {} } });
