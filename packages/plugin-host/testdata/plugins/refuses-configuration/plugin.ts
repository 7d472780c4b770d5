import { status } from "@grpc/grpc-js";

import { fail, serveFixture } from "../../lib/serve.ts";

serveFixture({
  required: {
    initialize(call, callback) {
      const config = Buffer.from(call.request.configJson).toString();
      process.stderr.write(`configured with ${config}\n`);
      callback(fail(status.UNKNOWN, `cannot log in with ${config}`));
    },
  },
});
