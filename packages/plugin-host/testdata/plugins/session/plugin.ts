import { create } from "@bufbuild/protobuf";
import { extServiceNames, iac, iacServiceNames, serveService } from "@wfctl/contract";

import { note, serveFixture } from "../../lib/serve.ts";
import { serveSession } from "../../lib/session.ts";

serveFixture({
  advertised: [iacServiceNames.IaCProviderRequired, iacServiceNames.IaCProviderFinalizer, ...Object.values(extServiceNames)],
  required: {
    resolveSizing(call, callback) {
      const { resourceType, size, hints } = call.request;
      if (size === "none") return callback(null, create(iac.ResolveSizingResponseSchema, {}));
      const specsJson = Buffer.from(JSON.stringify({ size, resourceType, cpu: hints?.cpu ?? "" }));
      callback(null, create(iac.ResolveSizingResponseSchema, { sizing: { instanceType: "db-1", specsJson } }));
    },
  },
  more(server) {
    serveSession(server);
    serveService(server, iac.IaCProviderFinalizer, {
      finalizeApply(call, callback) {
        note("FinalizeApply", call.request.planId);
        const errors = call.request.planId === "bad" ? [{ resource: "infra.dns", action: "deferred_update", error: "no" }] : [];
        callback(null, create(iac.FinalizeApplyResponseSchema, { errors }));
      },
    });
  },
});
