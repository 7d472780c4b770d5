import { create, toBinary, type DescService, type MessageShape } from "@bufbuild/protobuf";
import { FileDescriptorSetSchema } from "@bufbuild/protobuf/wkt";
import * as grpc from "@grpc/grpc-js";
import { ext, goPluginController, health, iac, iacServiceNames, plugin } from "@wfctl/contract";

type Callback = (error: Partial<grpc.StatusObject> | null, reply?: unknown, ...rest: unknown[]) => void;
type Call = { request: never; getDeadline(): grpc.Deadline; end(): void };
type Handler = (call: Call, callback: Callback) => void;
/** Takes the place of a handler, which it may call. */
type Spoil = (call: Call, callback: Callback, handler: Handler) => void;
type ReplyOf<S extends DescService, M extends keyof S["method"]> = MessageShape<S["method"][M]["output"]>;
type RequestOf<S extends DescService, M extends keyof S["method"]> = MessageShape<S["method"][M]["input"]>;

interface Defect {
  readonly service: string;
  readonly method: string;
  readonly spoil: Spoil;
}

function method<S extends DescService, M extends keyof S["method"] & string>(service: S, name: M) {
  const of = (spoil: Spoil): Defect => ({ service: service.typeName, method: name, spoil });
  return {
    /** Changes the reply before it is sent. */
    reply: (change: (reply: ReplyOf<S, M>, request: RequestOf<S, M>) => void): Defect =>
      of((call, callback, handler) =>
        handler(call, (error, reply, ...rest) => {
          if (reply !== undefined) change(reply as ReplyOf<S, M>, call.request);
          callback(error, reply, ...rest);
        }),
      ),
    /** Changes how a failure is told. */
    failure: (error: { code: number; details: string }): Defect =>
      of((call, callback, handler) =>
        handler(call, (failed, ...rest) => callback(failed === null ? null : { ...error }, ...rest)),
      ),
    /** Ends the call before the handler where the request gives reason to. */
    instead: (
      answer: (request: RequestOf<S, M>, call: Call) => { code: number; details: string } | object | undefined,
    ): Defect =>
      of((call, callback, handler) => {
        const given = answer(call.request, call);
        if (given === undefined) handler(call, callback);
        else if ("code" in given) callback(given as Partial<grpc.StatusObject>);
        else callback(null, given);
      }),
    /** Takes the handler's place. */
    replace: (spoil: Spoil): Defect => of(spoil),
  };
}

const driver = iac.ResourceDriver;
const required = iac.IaCProviderRequired;
const mebibyte = 1024 * 1024;
const tooLarge = { code: grpc.status.RESOURCE_EXHAUSTED, details: "message too large" };
const unimplemented = { code: grpc.status.UNIMPLEMENTED, details: "no" };
const dropOutput = (output: iac.ResourceOutput | undefined, key: string): void => {
  if (output === undefined) return;
  const { [key]: _dropped, ...rest } = JSON.parse(Buffer.from(output.outputsJson).toString()) as Record<string, unknown>;
  output.outputsJson = Buffer.from(JSON.stringify(rest));
};
let initialised = false;

const defects: Readonly<Record<string, Defect>> = {
  "ignores-shutdown": method(goPluginController.GRPCController, "shutdown").instead(() =>
    create(goPluginController.EmptySchema),
  ),
  unhealthy: method(health.Health, "check").reply((reply) => {
    reply.status = health.HealthCheckResponse_ServingStatus.NOT_SERVING;
  }),
  "other-manifest": method(plugin.PluginService, "getManifest").reply((reply) => {
    reply.version = "9.9.9";
  }),
  "advertises-stubs": method(plugin.PluginService, "getContractRegistry").reply((reply) => {
    const extra = { kind: plugin.ContractKind.SERVICE, serviceName: iacServiceNames.IaCProviderRunner };
    reply.contracts.push(create(plugin.ContractDescriptorSchema, extra));
  }),
  "hides-validator": method(plugin.PluginService, "getContractRegistry").reply((reply) => {
    reply.contracts = reply.contracts.filter(({ serviceName }) => serviceName !== iacServiceNames.IaCProviderValidator);
  }),
  "hides-driver": method(plugin.PluginService, "getContractRegistry").reply((reply) => {
    reply.contracts = reply.contracts.filter(({ serviceName }) => serviceName !== iacServiceNames.ResourceDriver);
  }),
  "nameless-file": method(plugin.PluginService, "getContractRegistry").reply((reply) => {
    reply.fileDescriptorSet = create(FileDescriptorSetSchema, { file: [{}] });
  }),
  v1: method(required, "capabilities").reply((reply) => {
    reply.computePlanVersion = "v1";
  }),
  "wants-configuration": method(required, "capabilities").instead(() =>
    initialised ? undefined : { code: grpc.status.FAILED_PRECONDITION, details: "not initialised" },
  ),
  "other-types": method(required, "capabilities").reply((reply) => {
    for (const each of reply.capabilities) each.resourceType = "library.map";
  }),
  "more-types": method(required, "capabilities").reply((reply) => {
    reply.capabilities.push(create(iac.IaCCapabilityDeclarationSchema, { resourceType: "library.map" }));
  }),
  "dies-unconfigured": method(required, "initialize").instead(({ configJson }) =>
    configJson.byteLength === 0 ? process.exit(4) : undefined,
  ),
  "takes-any-key": method(required, "initialize").instead(({ configJson }) =>
    Buffer.from(configJson).includes("wfctl_conformance_unknown") ? create(iac.InitializeResponseSchema) : undefined,
  ),
  "keeps-configurations": method(ext.Configurations, "close").instead(() =>
    create(ext.CloseConfigurationResponseSchema),
  ),
  "dies-in-import": method(required, "import").instead(() => process.exit(7)),
  "epoch-times": method(required, "import").reply(({ state }) => {
    if (state !== undefined) state.createdAt = { $typeName: "google.protobuf.Timestamp", seconds: 0n, nanos: 0 };
  }),
  "odd-status": method(required, "status").reply(({ statuses }) => {
    for (const each of statuses) each.status = "fine";
  }),
  "plans-twice": method(required, "plan").reply(({ plan }) => {
    plan?.actions.push(...plan.actions);
  }),
  "small-replies": method(required, "plan").replace((call, callback, handler) =>
    handler(call, (error, reply, ...rest) => {
      const bytes = reply === undefined ? 0 : toBinary(iac.PlanResponseSchema, reply as iac.PlanResponse).byteLength;
      if (bytes > 4 * mebibyte) callback(tooLarge);
      else callback(error, reply, ...rest);
    }),
  ),
  "plain-absence": method(driver, "read").failure({ code: grpc.status.UNKNOWN, details: "404 page" }),
  "code-only-absence": method(driver, "read").failure({ code: grpc.status.NOT_FOUND, details: "gone" }),
  "text-only-absence": method(driver, "read").failure({
    code: grpc.status.UNKNOWN,
    details: "iac: resource not found: book",
  }),
  "any-type": method(driver, "read").instead(({ resourceType }) =>
    resourceType === "wfctl.conformance_unknown"
      ? { code: grpc.status.NOT_FOUND, details: "iac: resource not found: what type" }
      : undefined,
  ),
  "no-type": method(driver, "read").instead(({ resourceType }) =>
    resourceType === "" ? { code: grpc.status.UNKNOWN, details: "oops" } : undefined,
  ),
  "shy-read": method(driver, "read").reply(({ output }) => dropOutput(output, "title")),
  "dies-when-late": method(driver, "read").instead((_request, call) =>
    Number(call.getDeadline()) - Date.now() < 1_000 ? process.exit(5) : undefined,
  ),
  "empty-reply": method(driver, "create").reply((reply) => {
    delete reply.output;
  }),
  "no-id": method(driver, "create").reply(({ output }) => {
    if (output !== undefined) output.providerId = "";
  }),
  "other-name": method(driver, "create").reply(({ output }) => {
    if (output !== undefined) output.name = "somebody";
  }),
  "number-as-secret": method(driver, "create").reply(({ output }) => {
    if (output === undefined) return;
    const outputs = JSON.parse(Buffer.from(output.outputsJson).toString()) as object;
    output.outputsJson = Buffer.from(JSON.stringify({ ...outputs, code: 42 }));
  }),
  "takes-anything": method(driver, "create").instead((request) => {
    const config = JSON.parse(Buffer.from(request.spec?.configJson ?? []).toString()) as { pages?: number };
    if (config.pages === 0 && request.spec !== undefined) {
      request.spec.configJson = Buffer.from(JSON.stringify({ ...config, pages: 1 }));
    }
    return undefined;
  }),
  "unlisted-secret": method(driver, "sensitiveKeys").reply((reply) => {
    reply.keys = [];
  }),
  "no-health-check": method(driver, "healthCheck").instead(() => unimplemented),
  "empty-health": method(driver, "healthCheck").reply((reply) => {
    delete reply.result;
  }),
  "small-requests": method(driver, "diff").instead(({ desired }) =>
    (desired?.configJson.byteLength ?? 0) > 3 * mebibyte ? tooLarge : undefined,
  ),
  "medium-requests": method(driver, "diff").instead(({ desired }) =>
    (desired?.configJson.byteLength ?? 0) > 4 * mebibyte ? tooLarge : undefined,
  ),
  "never-replaces": method(driver, "diff").reply(({ result }) => {
    if (result === undefined) return;
    result.needsReplace = false;
    for (const change of result.changes) change.forceNew = false;
  }),
  "resolved-only": method(driver, "diff").instead(({ desired }) =>
    Buffer.from(desired?.configJson ?? []).includes("${")
      ? { code: grpc.status.INVALID_ARGUMENT, details: "iac: validation error: unresolved" }
      : undefined,
  ),
  "sees-no-ghosts": method(iac.IaCProviderDriftDetector, "detectDrift").reply(({ drifts }) => {
    for (const drift of drifts) drift.class = iac.DriftClass.IN_SYNC;
  }),
  "sees-no-drift": method(iac.IaCProviderDriftConfigDetector, "detectDriftConfig").reply(({ drifts }) => {
    for (const drift of drifts) Object.assign(drift, { class: iac.DriftClass.IN_SYNC, drifted: false });
  }),
  "finds-nothing": method(iac.IaCProviderValidator, "validatePlan").reply((reply) => {
    reply.diagnostics = [];
  }),
  "lists-nothing": method(iac.IaCProviderEnumerator, "enumerateAll").reply((reply) => {
    reply.outputs = [];
  }),
  "no-session": method(ext.DriverSession, "run").replace((call) => call.end()),
  "no-lookup": method(ext.ClientTokens, "lookup").reply((reply) => {
    reply.found = false;
  }),
  unrecoverable: method(ext.ResourceSchemas, "listResourceTypes").reply(({ types }) => {
    for (const type of types) Object.assign(type, { convergentCreate: false, lookup: false });
  }),
};

/** Puts itself between the SDK and its server: what one defect changes on the wire, and nothing else. */
export function spoilServices(name: string): void {
  const defect = defects[name];
  const original = grpc.Server.prototype.addService;
  grpc.Server.prototype.addService = function addService(this: grpc.Server, definition, implementation) {
    const [first] = Object.values(definition);
    const service = first?.path.split("/")[1] ?? "";
    const handlers = { ...implementation } as unknown as Record<string, Handler>;
    if (service === required.typeName) {
      const initialize = handlers["initialize"];
      handlers["initialize"] = (call, callback) => {
        initialised = true;
        initialize?.(call, callback);
      };
    }
    const handler = handlers[defect?.method ?? ""];
    if (defect !== undefined && defect.service === service && handler !== undefined) {
      handlers[defect.method] = (call, callback) => defect.spoil(call, callback, handler);
    }
    original.call(this, definition, handlers as never);
  };
}
