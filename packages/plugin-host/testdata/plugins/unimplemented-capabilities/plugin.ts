import { status } from "@grpc/grpc-js";

import { fail, serveFixture } from "../../lib/serve.ts";

serveFixture({
  required: {
    capabilities: (_call, callback) => callback(fail(status.UNIMPLEMENTED, "method Capabilities not implemented")),
  },
});
