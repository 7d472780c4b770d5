import { create } from "@bufbuild/protobuf";
import { status } from "@grpc/grpc-js";
import { iac } from "@wfctl/contract";

import { storeDrivers } from "../../lib/drivers.ts";
import { fail, note, serveFixture } from "../../lib/serve.ts";

const seen = new Map<string, number>();

/** True for the first call of a name. */
function isFirst(call: string): boolean {
  note(call);
  const count = (seen.get(call) ?? 0) + 1;
  seen.set(call, count);
  return count === 1;
}

/** Throttles the first call of each kind. */
serveFixture({
  required: {
    initialize(_call, callback) {
      if (isFirst("Initialize")) return callback(fail(status.RESOURCE_EXHAUSTED, "slow down"));
      callback(null, create(iac.InitializeResponseSchema, {}));
    },
    capabilities(_call, callback) {
      if (isFirst("Capabilities")) return callback(fail(status.UNAVAILABLE, "not yet"));
      callback(null, create(iac.CapabilitiesResponseSchema, { computePlanVersion: "v2" }));
    },
  },
  driver: {
    ...storeDrivers(),
    sensitiveKeys(_call, callback) {
      if (isFirst("SensitiveKeys")) return callback(fail(status.RESOURCE_EXHAUSTED, "slow down"));
      callback(null, create(iac.SensitiveKeysResponseSchema, { keys: ["secret_too"] }));
    },
  },
});
