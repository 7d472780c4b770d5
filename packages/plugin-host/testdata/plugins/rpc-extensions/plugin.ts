import { create } from "@bufbuild/protobuf";
import * as grpc from "@grpc/grpc-js";
import { encodeFailureTrailers, encodeReplyTrailers, ext, extServiceNames, iac, iacServiceNames, serveService } from "@wfctl/contract";

import { serveFixture } from "../../lib/serve.ts";

/** Our extensions without a session: metadata, trailers and the progress stream. */
let watcher: grpc.ServerWritableStream<ext.WatchProgressRequest, ext.CallProgress> | undefined;
let waiting = "";
function report(): void {
  if (waiting !== "") watcher?.write(create(ext.CallProgressSchema, { clientToken: waiting, progress: { message: "waiting", waiting: true } }));
}

serveFixture({
  advertised: [iacServiceNames.IaCProviderRequired, iacServiceNames.ResourceDriver, extServiceNames.RunControl],
  driver: {
    create(call, callback) {
      const clientToken = String(call.metadata.get("wfctl-client-token")[0]);
      if (call.request.spec?.name === "fails") {
        const trailers = encodeFailureTrailers({ retryAfterMs: 1500, partial: { providerId: "half-made", outputs: { arn: "x" } } });
        return callback({ code: grpc.status.UNAVAILABLE, details: "iac: transient error: 503", metadata: trailers });
      }
      const outputsJson = Buffer.from(JSON.stringify(call.metadata.getMap()));
      const trailers = encodeReplyTrailers({
        created: true,
        inputs: { a: 1 },
        owner: "lineage/thing",
        revisitAt: "2027-01-15T08:00:00.000Z",
      });
      const reply = create(iac.ResourceCreateResponseSchema, { output: { providerId: "id-1", outputsJson } });
      if (call.request.spec?.name !== "hangs") return callback(null, reply, trailers);
      waiting = clientToken;
      report();
    },
    read: (_call, callback) => callback({ code: grpc.status.UNKNOWN, details: "the thing was not found", metadata: new grpc.Metadata() }),
  },
  more(server) {
    serveService(server, ext.RunControl, {
      stop: (_call, callback) => callback(null, create(ext.StopResponseSchema, {})),
      watchProgress(stream) {
        watcher = stream;
        stream.write(create(ext.CallProgressSchema, { clientToken: "someone-else", progress: { message: "no", waiting: false } }));
        report();
      },
    });
  },
});
