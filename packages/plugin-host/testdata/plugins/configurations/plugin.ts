import { create } from "@bufbuild/protobuf";
import * as grpc from "@grpc/grpc-js";
import { ext, extServiceNames, iac, iacServiceNames, serveService } from "@wfctl/contract";

import { fail, note, serveFixture } from "../../lib/serve.ts";
import { instanceOf, serveSession } from "../../lib/session.ts";
import { createStore } from "../../lib/store.ts";

const open = new Map<string, { readonly account: string; readonly store: ReturnType<typeof createStore> }>();

serveFixture({
  advertised: [
    iacServiceNames.IaCProviderRequired,
    iacServiceNames.IaCProviderFinalizer,
    ...Object.values(extServiceNames),
  ],
  more(server) {
    serveSession(server, {
      storeOf: (instance) => open.get(instance)?.store ?? createStore(),
      identityOf: (instance) => `fixture:${open.get(instance)?.account ?? "nobody"}`,
    });
    serveService(server, ext.Configurations, {
      open(call, callback) {
        const { instance, configJson } = call.request;
        const text = Buffer.from(configJson).toString();
        note("Open", `${instance} ${text}`);
        const config = JSON.parse(text) as { account?: string; token?: string; refuse?: boolean };
        console.error(`opened with ${config.token ?? "no token"}`);
        if (config.refuse === true) return callback(fail(grpc.status.INVALID_ARGUMENT, `not with ${config.token}`));
        if (config.account === "slow") return;
        const account = config.account ?? "1";
        open.set(instance, { account, store: createStore() });
        callback(null, create(ext.OpenConfigurationResponseSchema, { identity: `fixture:${account}` }));
      },
      close(call, callback) {
        note("Close", call.request.instance);
        open.delete(call.request.instance);
        callback(null, create(ext.CloseConfigurationResponseSchema, {}));
      },
    });
    serveService(server, iac.IaCProviderFinalizer, {
      finalizeApply(call, callback) {
        note("FinalizeApply", instanceOf(call.metadata));
        callback(null, create(iac.FinalizeApplyResponseSchema, {}));
      },
    });
  },
});
