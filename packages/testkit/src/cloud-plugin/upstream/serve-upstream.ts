import { randomBytes } from "node:crypto";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { create } from "@bufbuild/protobuf";
import * as grpc from "@grpc/grpc-js";
import {
  goPluginController,
  goPluginStdio,
  handshake,
  iac,
  iacServiceNames,
  plugin,
  requiredPlanVersion,
  serveService,
} from "@wfctl/contract";
import { createCloudClient, resourceTypes, ScriptedFailure, type CloudConfig } from "../perform-call.ts";
import { goError, parse, upstreamDrivers, type Initialised } from "./drivers.ts";

/** Serves the test cloud as upstream's Go plugins serve theirs: none of our services, metadata or trailers. */
export function serveUpstreamLike(options: { name: string; finalizer: boolean }): void {
  if (process.env[handshake.cookieName] !== handshake.cookieValue) {
    process.stderr.write("This binary is a plugin. These are not meant to be executed directly.\n");
    process.exit(1);
  }
  process.on("SIGINT", () => undefined);
  const state: Initialised = { client: undefined, deferred: new Set() };
  const server = new grpc.Server({
    "grpc.max_receive_message_length": 4 * 1024 * 1024,
    "grpc.max_send_message_length": -1,
  });
  servePluginService(server, options);
  serveRequired(server, options, state);
  serveService(server, iac.ResourceDriver, upstreamDrivers(state));
  if (options.finalizer) serveFinalizer(server, state);
  serveService(server, goPluginStdio.GRPCStdio, {
    streamStdio() {
      // Open until the process ends; nothing is written.
    },
  });
  serveService(server, goPluginController.GRPCController, {
    // As upstream's: stopped in the middle of the call, which so gets no answer.
    shutdown() {
      server.forceShutdown();
      process.exit(0);
    },
  });
  const path = join(
    process.env["PLUGIN_UNIX_SOCKET_DIR"] ?? tmpdir(),
    `plugin${process.pid}-${randomBytes(4).toString("hex")}`,
  );
  server.bindAsync(`unix:${path}`, grpc.ServerCredentials.createInsecure(), (error) => {
    if (error !== null) throw error;
    process.stdout.write(`1|1|unix|${path}|grpc||true\n`);
  });
}

function servePluginService(server: grpc.Server, options: { name: string; finalizer: boolean }): void {
  const services = [
    iacServiceNames.IaCProviderRequired,
    iacServiceNames.ResourceDriver,
    ...(options.finalizer ? [iacServiceNames.IaCProviderFinalizer] : []),
  ];
  serveService(server, plugin.PluginService, {
    getManifest: (_call, callback) =>
      callback(
        null,
        create(plugin.ManifestSchema, {
          name: options.name,
          version: "1.0.0",
          author: "wfctl",
          description: "upstream-like",
        }),
      ),
    getContractRegistry: (_call, callback) =>
      callback(
        null,
        create(plugin.ContractRegistrySchema, {
          contracts: services.map((serviceName) => ({
            kind: plugin.ContractKind.SERVICE,
            mode: plugin.ContractMode.STRICT_PROTO,
            serviceName,
          })),
        }),
      ),
  });
}

function serveRequired(server: grpc.Server, options: { name: string }, state: Initialised): void {
  serveService(server, iac.IaCProviderRequired, {
    initialize({ request }, callback) {
      const { provider: _provider, ...config } = parse(request.configJson);
      createCloudClient(config as CloudConfig).then(
        (client) => {
          state.client = client;
          callback(null, create(iac.InitializeResponseSchema, {}));
        },
        (error: unknown) => callback(goError(error instanceof Error ? error.message : String(error))),
      );
    },
    name: (_call, callback) => callback(null, create(iac.NameResponseSchema, { name: options.name })),
    version: (_call, callback) => callback(null, create(iac.VersionResponseSchema, { version: "1.0.0" })),
    capabilities: (_call, callback) =>
      callback(
        null,
        create(iac.CapabilitiesResponseSchema, {
          computePlanVersion: requiredPlanVersion,
          capabilities: resourceTypes.map((resourceType) => ({
            resourceType,
            tier: 1,
            operations: ["create", "read", "update", "delete"],
          })),
        }),
      ),
    resolveSizing: ({ request }, callback) =>
      callback(
        null,
        create(iac.ResolveSizingResponseSchema, {
          sizing: { instanceType: `test-${request.size}`, specsJson: Buffer.from("{}") },
        }),
      ),
  });
}

/** Knows its work from this process's memory only. */
function serveFinalizer(server: grpc.Server, state: Initialised): void {
  serveService(server, iac.IaCProviderFinalizer, {
    finalizeApply({ request }, callback) {
      const client = state.client;
      if (client === undefined) return callback(goError("provider is not initialised"));
      const call = {
        operation: "finalize",
        type: "",
        name: request.planId,
        providerId: "",
        token: "",
        run: "",
      } as const;
      const effect = (): void => {
        client.cloud.finalize(client.account, [...state.deferred]);
        state.deferred.clear();
      };
      client.perform(call, { effect }, { sleep: (ms) => new Promise((resolve) => setTimeout(resolve, ms)) }).then(
        () => callback(null, create(iac.FinalizeApplyResponseSchema, {})),
        (thrown: unknown) => {
          if (!(thrown instanceof ScriptedFailure)) return callback(goError(String(thrown)));
          const errors = [{ resource: "test.deferred", action: "finalize", error: thrown.message }];
          callback(null, create(iac.FinalizeApplyResponseSchema, { errors }));
        },
      );
    },
  });
}
