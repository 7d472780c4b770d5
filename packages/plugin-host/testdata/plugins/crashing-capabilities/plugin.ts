import { create } from "@bufbuild/protobuf";
import { iac } from "@wfctl/contract";

import { note, serveFixture } from "../../lib/serve.ts";

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
      if (!configured) process.exit(2);
      callback(null, create(iac.CapabilitiesResponseSchema, { computePlanVersion: "v2" }));
    },
  },
});
