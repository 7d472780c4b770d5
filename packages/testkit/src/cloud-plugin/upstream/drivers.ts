import { create } from "@bufbuild/protobuf";
import * as grpc from "@grpc/grpc-js";
import { iac, type ServiceHandlers } from "@wfctl/contract";
import { jsonEqual, type JsonObject, type ProviderErrorClass } from "@wfctl/model";
import { outputsOf, resourceTypes, ScriptedFailure, type CallWork, type CloudClient } from "../perform-call.ts";
import type { PluginFault } from "../fault-script.ts";
import type { PluginCall, StoredObject } from "../stored-object.ts";

type Callback<T> = (error: Partial<grpc.StatusObject> | null, value?: T) => void;

/** Holds the client that Initialize made. */
export interface Initialised {
  client: CloudClient | undefined;
  /** Objects with deferred work: in memory, as upstream's plugins keep them. */
  readonly deferred: Set<string>;
}

const reserved = new Set([
  "provider",
  "iac_provider",
  "size",
  "depends_on",
  "protected",
  "adopt_existing",
  "instance_type",
]);
const sentinels: Partial<Record<ProviderErrorClass, string>> = {
  not_found: "iac: resource not found",
  already_exists: "iac: resource already exists",
  rate_limited: "iac: rate limited",
  transient: "iac: transient error",
  unauthorized: "iac: unauthorized",
  forbidden: "iac: forbidden",
  validation: "iac: validation error",
  image_missing: "iac: image tag or digest not found in registry",
};

/** An error as a Go driver returns it: code UNKNOWN, the class in the words if at all. */
export function goError(text: string, errorClass?: ProviderErrorClass): Partial<grpc.StatusObject> {
  const sentinel = errorClass === undefined ? undefined : sentinels[errorClass];
  return {
    code: grpc.status.UNKNOWN,
    details: sentinel === undefined ? text : `${sentinel}: ${text}`,
    metadata: new grpc.Metadata(),
  };
}

/** Drivers as upstream's: no tokens, no lookup, no inputs on Read, outputs that repeat the configuration. */
export function upstreamDrivers(state: Initialised): Partial<ServiceHandlers<typeof iac.ResourceDriver>> {
  const carry = <Effect, T>(
    call: PluginCall,
    work: CallWork<Effect>,
    callback: Callback<T>,
    answer: (effect: Effect, reply: PluginFault["reply"]) => T | Partial<grpc.StatusObject>,
  ): void => {
    if (state.client === undefined) return callback(goError("provider is not initialised"));
    if (!(resourceTypes as readonly string[]).includes(call.type)) {
      return callback({
        code: grpc.status.NOT_FOUND,
        details: `unsupported resource type "${call.type}"`,
        metadata: new grpc.Metadata(),
      });
    }
    const host = { sleep: (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms)) };
    state.client.perform(call, work, host).then(
      ({ effect, reply }) => {
        const answered = answer(effect, reply);
        if (isStatus(answered)) callback(answered);
        else callback(null, answered);
      },
      (thrown: unknown) => {
        if (thrown instanceof ScriptedFailure) callback(goError(thrown.message, thrown.fault.error));
        else callback(goError(thrown instanceof Error ? thrown.message : String(thrown)));
      },
    );
  };
  const found = (ref: iac.ResourceRef | undefined, type: string): StoredObject | undefined => {
    const client = state.client!;
    if (ref === undefined) return undefined;
    if (ref.providerId === "") return client.cloud.findByName(client.account, type, ref.name);
    return client.cloud.get(client.account, ref.providerId);
  };
  const missing = (name: string): Partial<grpc.StatusObject> => goError(name, "not_found");

  return {
    create({ request }, callback) {
      const inputs = inputsOf(request.spec?.configJson);
      const name = request.spec?.name ?? "";
      const stored = { account: state.client?.account ?? "", type: request.resourceType, name, inputs };
      carry(
        callOf("create", request.resourceType, name, ""),
        {
          effect: (partial) => {
            const { object } = state.client!.cloud.create({ ...stored, partial });
            if (object.type === "test.deferred") state.deferred.add(object.id);
            return object;
          },
          late: { kind: "create", request: stored },
        },
        callback,
        (object, reply) =>
          reply === "empty"
            ? create(iac.ResourceCreateResponseSchema, {})
            : create(iac.ResourceCreateResponseSchema, { output: outputOf(object, request.resourceType, name, reply) }),
      );
    },
    read({ request }, callback) {
      const name = request.ref?.name ?? "";
      carry(
        callOf("read", request.resourceType, name, request.ref?.providerId ?? ""),
        {
          effect: () => found(request.ref, request.resourceType),
        },
        callback,
        (object, reply) =>
          object === undefined
            ? missing(name)
            : create(iac.ResourceReadResponseSchema, { output: outputOf(object, request.resourceType, name, reply) }),
      );
    },
    update({ request }, callback) {
      const name = request.ref?.name ?? "";
      const inputs = inputsOf(request.spec?.configJson);
      const account = state.client?.account ?? "";
      carry(
        callOf("update", request.resourceType, name, request.ref?.providerId ?? ""),
        {
          effect: () => {
            const object = found(request.ref, request.resourceType);
            if (object?.type === "test.deferred") state.deferred.add(object.id);
            return object === undefined ? undefined : state.client!.cloud.update(account, object.id, inputs);
          },
          late: { kind: "update", account, id: request.ref?.providerId ?? "", inputs },
        },
        callback,
        (object, reply) =>
          object === undefined
            ? missing(name)
            : create(iac.ResourceUpdateResponseSchema, { output: outputOf(object, request.resourceType, name, reply) }),
      );
    },
    delete({ request }, callback) {
      const name = request.ref?.name ?? "";
      const account = state.client?.account ?? "";
      carry(
        callOf("delete", request.resourceType, name, request.ref?.providerId ?? ""),
        {
          effect: () => {
            const object = found(request.ref, request.resourceType);
            return object !== undefined && state.client!.cloud.delete(account, object.id);
          },
          late: { kind: "delete", account, id: request.ref?.providerId ?? "" },
        },
        callback,
        (gone) => (gone ? create(iac.ResourceDeleteResponseSchema, {}) : missing(name)),
      );
    },
    diff({ request }, callback) {
      const name = request.desired?.name ?? "";
      carry(
        callOf("diff", request.resourceType, name, request.current?.providerId ?? ""),
        {
          effect: () => changesOf(inputsOf(request.desired?.configJson), parse(request.current?.outputsJson)),
        },
        callback,
        (changes) =>
          create(iac.ResourceDiffResponseSchema, {
            result: {
              needsUpdate: changes.length > 0,
              needsReplace: changes.some((change) => change.forceNew),
              changes: changes.map((change) => ({
                path: change.path,
                oldJson: encode(change.old),
                newJson: encode(change.new),
                forceNew: change.forceNew,
              })),
            },
          }),
      );
    },
    healthCheck({ request }, callback) {
      const object = state.client === undefined ? undefined : found(request.ref, request.resourceType);
      callback(
        null,
        create(iac.ResourceHealthCheckResponseSchema, { result: { healthy: object !== undefined, message: "" } }),
      );
    },
    sensitiveKeys({ request }, callback) {
      callback(
        null,
        create(iac.SensitiveKeysResponseSchema, { keys: request.resourceType === "test.secret" ? ["password"] : [] }),
      );
    },
  };
}

/** Keys of the configuration against outputs; what the object does not show counts as equal. */
function changesOf(
  wanted: JsonObject,
  shown: JsonObject,
): { path: string; old: unknown; new: unknown; forceNew: boolean }[] {
  return Object.keys(wanted)
    .filter((key) => shown[key] !== undefined && !jsonEqual(shown[key], wanted[key]))
    .map((path) => ({ path, old: shown[path], new: wanted[path], forceNew: path === "region" }));
}

function outputOf(
  object: StoredObject,
  type: string,
  name: string,
  reply: PluginFault["reply"],
): ReturnType<typeof makeOutput> {
  const shown =
    object.state === "partial"
      ? Object.fromEntries(Object.keys(object.inputs).map((key) => [key, null]))
      : object.inputs;
  const outputs: JsonObject = { ...shown, ...outputsOf({ ...object, type, name }) };
  const secret = type === "test.secret" || reply === "number-as-secret" ? { password: true } : {};
  return makeOutput({
    providerId: reply === "no-id" ? "" : object.id,
    name: reply === "wrong-name" ? `${name}-other` : name,
    type: reply === "wrong-type" ? "test.other" : type,
    outputsJson: encode(reply === "number-as-secret" ? { ...outputs, password: 12_345_678 } : outputs),
    sensitive: secret,
    status: "running",
  });
}

function makeOutput(fields: {
  providerId: string;
  name: string;
  type: string;
  outputsJson: Uint8Array;
  sensitive: Record<string, boolean>;
  status: string;
}) {
  return create(iac.ResourceOutputSchema, fields);
}

function callOf(operation: PluginCall["operation"], type: string, name: string, providerId: string): PluginCall {
  return { operation, type, name, providerId, token: "", run: "" };
}

function inputsOf(bytes: Uint8Array | undefined): JsonObject {
  return Object.fromEntries(Object.entries(parse(bytes)).filter(([key]) => !reserved.has(key)));
}

export function parse(bytes: Uint8Array | undefined): JsonObject {
  return bytes === undefined || bytes.length === 0 ? {} : (JSON.parse(Buffer.from(bytes).toString()) as JsonObject);
}

function encode(value: unknown): Uint8Array {
  return value === undefined ? new Uint8Array() : Buffer.from(JSON.stringify(value));
}

function isStatus(value: unknown): value is Partial<grpc.StatusObject> {
  return typeof value === "object" && value !== null && "code" in value && "details" in value;
}
