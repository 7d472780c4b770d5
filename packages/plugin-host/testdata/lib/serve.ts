import { randomBytes } from "node:crypto";
import { appendFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { create } from "@bufbuild/protobuf";
import * as grpc from "@grpc/grpc-js";
import {
  goPluginController,
  goPluginStdio,
  iac,
  iacServices,
  plugin,
  serveService,
  toGrpcService,
  type ServiceHandlers,
} from "@wfctl/contract";

export interface FixtureOptions {
  /** Full service names of the registry. */
  readonly advertised?: readonly string[];
  readonly planVersion?: string;
  readonly resourceTypes?: readonly string[];
  readonly manifest?: { name: string; version: string } | "unimplemented";
  readonly required?: Partial<ServiceHandlers<typeof iac.IaCProviderRequired>>;
  readonly driver?: Partial<ServiceHandlers<typeof iac.ResourceDriver>>;
  /** More services. */
  readonly more?: (server: grpc.Server) => void;
  /** What Shutdown does instead of ending at once. */
  readonly onShutdown?: () => void;
  readonly network?: "unix" | "tcp";
  /** Name of a method of the required service whose reply is bytes that are no message. */
  readonly garbled?: string;
}

/** Appends to the file that the test reads: what was called, with what. */
export function note(call: string, detail = ""): void {
  const file = process.env["FIXTURE_CALLS"];
  if (file) appendFileSync(file, `${call}${detail === "" ? "" : ` ${detail}`}\n`);
}

export function fail(code: grpc.status, details: string): Partial<grpc.StatusObject> {
  return { code, details, metadata: new grpc.Metadata() };
}

/** Starts a plugin that behaves on the outside as upstream's Go plugins do. */
export function serveFixture(options: FixtureOptions = {}): void {
  if (process.env["WORKFLOW_PLUGIN"] !== "workflow-external-plugin-v1") {
    process.stderr.write("This binary is a plugin. These are not meant to be executed directly.\n");
    process.exit(1);
  }
  process.on("SIGINT", () => {});
  const server = new grpc.Server({ "grpc.max_receive_message_length": 4 * 1024 * 1024, "grpc.max_send_message_length": -1 });
  const advertised = options.advertised ?? [iacServices.IaCProviderRequired.typeName, iacServices.ResourceDriver.typeName];

  serveService(server, plugin.PluginService, {
    getManifest(_call, callback) {
      note("GetManifest");
      if (options.manifest === "unimplemented") return callback(fail(grpc.status.UNIMPLEMENTED, "method GetManifest not implemented"));
      callback(null, create(plugin.ManifestSchema, options.manifest ?? { name: "fixture", version: "1.2.3" }));
    },
    getContractRegistry(_call, callback) {
      note("GetContractRegistry");
      const contracts = advertised.map((serviceName) => ({
        kind: plugin.ContractKind.SERVICE,
        mode: plugin.ContractMode.STRICT_PROTO,
        serviceName,
      }));
      callback(null, create(plugin.ContractRegistrySchema, { contracts }));
    },
  });
  const served = toGrpcService(iac.IaCProviderRequired);
  const garbled = options.garbled === undefined ? undefined : served[options.garbled];
  const required =
    garbled === undefined
      ? served
      : { ...served, [options.garbled!]: { ...garbled, responseSerialize: () => Buffer.from([0x0a, 0xff, 0xff]) } };
  const requiredHandlers: Partial<ServiceHandlers<typeof iac.IaCProviderRequired>> = {
    initialize(call, callback) {
      note("Initialize", Buffer.from(call.request.configJson).toString());
      callback(null, create(iac.InitializeResponseSchema, {}));
    },
    name: (_call, callback) => callback(null, create(iac.NameResponseSchema, { name: "fixture" })),
    version: (_call, callback) => callback(null, create(iac.VersionResponseSchema, { version: "1.2.3" })),
    capabilities(_call, callback) {
      note("Capabilities");
      const capabilities = (options.resourceTypes ?? []).map((resourceType) => ({ resourceType, tier: 1, operations: ["create"] }));
      callback(null, create(iac.CapabilitiesResponseSchema, { capabilities, computePlanVersion: options.planVersion ?? "v2" }));
    },
    ...options.required,
  };
  server.addService(required, requiredHandlers as grpc.UntypedServiceImplementation);
  if (options.driver !== undefined) serveService(server, iac.ResourceDriver, options.driver);
  options.more?.(server);

  serveService(server, goPluginStdio.GRPCStdio, {
    streamStdio(call) {
      note("StreamStdio");
      const channel = goPluginStdio.StdioData_Channel.STDERR;
      call.write(create(goPluginStdio.StdioDataSchema, { channel, data: Buffer.from("through the stream\n") }));
    },
  });
  serveService(server, goPluginController.GRPCController, {
    // As upstream's server: stopped in the middle of the call, which so gets no answer.
    shutdown() {
      note("Shutdown");
      if (options.onShutdown !== undefined) return options.onShutdown();
      server.forceShutdown();
      process.exit(0);
    },
  });

  const path = join(process.env["PLUGIN_UNIX_SOCKET_DIR"] ?? tmpdir(), `plugin${process.pid}-${randomBytes(4).toString("hex")}`);
  const target = options.network === "tcp" ? "127.0.0.1:0" : `unix:${path}`;
  server.bindAsync(target, grpc.ServerCredentials.createInsecure(), (error, port) => {
    if (error !== null) throw error;
    const address = options.network === "tcp" ? `tcp|127.0.0.1:${port}` : `unix|${path}`;
    process.stdout.write(`1|1|${address}|grpc||true\n`);
  });
}
