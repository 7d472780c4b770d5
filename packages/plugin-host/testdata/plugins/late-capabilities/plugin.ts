import { create } from "@bufbuild/protobuf";
import { status } from "@grpc/grpc-js";
import { iac } from "@wfctl/contract";

import { fail, note, serveFixture } from "../../lib/serve.ts";

let configured = false;
serveFixture({
  required: {
    initialize(_call, callback) {
      note("Initialize");
      configured = true;
      callback(null, create(iac.InitializeResponseSchema, {}));
    },
    capabilities(_call, callback) {
      note("Capabilities");
      if (!configured) return callback(fail(status.UNKNOWN, "provider is not initialized"));
      callback(null, create(iac.CapabilitiesResponseSchema, { computePlanVersion: "v2" }));
    },
  },
});
