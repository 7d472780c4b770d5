import { create } from "@bufbuild/protobuf";
import {
  goPluginBroker,
  goPluginController,
  goPluginStdio,
  handshake,
  health,
  plugin,
  serveService,
} from "@wfctl/contract";
import type * as grpc from "@grpc/grpc-js";
import { manifestOf } from "../manifest/manifest.ts";
import type { Runtime } from "./runtime.ts";

/** What every go-plugin host expects beside the provider: registry and manifest, shutdown, streams, health. */
export function addHostServices(server: grpc.Server, runtime: Runtime, advertised: readonly string[]): void {
  serveService(server, plugin.PluginService, {
    getManifest(_call, callback) {
      const { name, version, author, description } = manifestOf(runtime.provider);
      callback(null, create(plugin.ManifestSchema, { name, version, author, description }));
    },
    getContractRegistry(_call, callback) {
      const contracts = advertised.map((serviceName) => ({
        kind: plugin.ContractKind.SERVICE,
        mode: plugin.ContractMode.STRICT_PROTO,
        serviceName,
      }));
      callback(null, create(plugin.ContractRegistrySchema, { contracts }));
    },
  });
  serveService(server, goPluginController.GRPCController, {
    shutdown(_call, callback) {
      callback(null, create(goPluginController.EmptySchema));
      runtime.end("the host asked for it");
    },
  });
  // Standard output holds nothing but the handshake: the stream stays silent.
  serveService(server, goPluginStdio.GRPCStdio, { streamStdio: (call) => holdOpen(call, runtime) });
  serveService(server, goPluginBroker.GRPCBroker, {
    startStream(call) {
      call.resume();
      call.on("end", () => call.end());
      holdOpen(call, runtime);
    },
  });
  serveService(server, health.Health, {
    check(call, callback) {
      const { service } = call.request;
      if (service !== "" && service !== handshake.healthService) {
        callback({ code: notFoundCode, details: `Unknown service "${service}"` });
        return;
      }
      callback(
        null,
        create(health.HealthCheckResponseSchema, { status: health.HealthCheckResponse_ServingStatus.SERVING }),
      );
    },
    watch(call) {
      call.write(
        create(health.HealthCheckResponseSchema, { status: health.HealthCheckResponse_ServingStatus.SERVING }),
      );
      holdOpen(call, runtime);
    },
  });
}

const notFoundCode = 5;

function holdOpen(
  call: grpc.ServerWritableStream<unknown, unknown> | grpc.ServerDuplexStream<unknown, unknown>,
  runtime: Runtime,
): void {
  call.on("error", () => {});
  runtime.ending.addEventListener("abort", () => call.end());
}
