import { create } from "@bufbuild/protobuf";
import * as grpc from "@grpc/grpc-js";
import { iac, type ServiceHandlers } from "@wfctl/contract";
import type { JsonObject } from "@wfctl/model";

import { fail, note } from "./serve.ts";
import { createStore, type StoredObject } from "./store.ts";

type Reply<T> = (error: Partial<grpc.StatusObject> | null, value?: T) => void;

function parse(bytes: Uint8Array | undefined): JsonObject {
  return bytes === undefined || bytes.length === 0 ? {} : (JSON.parse(Buffer.from(bytes).toString()) as JsonObject);
}

function output(object: StoredObject): iac.ResourceOutput {
  return create(iac.ResourceOutputSchema, {
    providerId: object.id,
    outputsJson: Buffer.from(JSON.stringify({ ...object.config, password: "s3cret-value", secret_too: "another-one" })),
    sensitive: { password: true, not_there: true, size: false },
    status: "running",
  });
}

/** What the test asks of a driver, in the configuration that it sends. True where the call is dealt with. */
function misbehave(config: JsonObject, callback: Reply<never>, empty: () => unknown): boolean {
  if (config["crash"] === true) process.exit(7);
  if (config["crash"] === "report") {
    process.stderr.write(`panic: assignment to entry in nil map\n\ngoroutine 1 [running]:\n${"main.create(0x1)\n".repeat(200)}`);
    process.exit(2);
  }
  if (config["hang"] === true) return true;
  if (typeof config["fail"] === "string") {
    const code = typeof config["code"] === "number" ? config["code"] : grpc.status.UNKNOWN;
    callback(fail(code, config["fail"]));
    return true;
  }
  if (config["empty"] === true) {
    callback(null, empty() as never);
    return true;
  }
  return false;
}

/** Drivers over a store in memory, with the manners of upstream's plugins: every error is UNKNOWN with a text. */
export function storeDrivers(): Partial<ServiceHandlers<typeof iac.ResourceDriver>> {
  const store = createStore();
  const missing = (name: string) => fail(grpc.status.UNKNOWN, `iac: resource not found: ${name}`);
  return {
    create({ request, metadata }, callback) {
      const config = parse(request.spec?.configJson);
      note("Create", JSON.stringify(metadata.getMap()));
      if (misbehave(config, callback as Reply<never>, () => create(iac.ResourceCreateResponseSchema, {}))) return;
      const object = store.create(request.spec?.name ?? "", request.resourceType, config);
      if (typeof config["bytes"] === "number") {
        const large = output({ ...object, config: { filler: "x".repeat(config["bytes"]) } });
        return callback(null, create(iac.ResourceCreateResponseSchema, { output: large }));
      }
      if (config["malformed"] === true) {
        const broken = create(iac.ResourceOutputSchema, { providerId: object.id, outputsJson: Buffer.from("{ not json") });
        return callback(null, create(iac.ResourceCreateResponseSchema, { output: broken }));
      }
      callback(null, create(iac.ResourceCreateResponseSchema, { output: output(object) }));
    },
    read({ request }, callback) {
      if (request.ref?.name === "empty") return callback(null, create(iac.ResourceReadResponseSchema, {}));
      const sniffed = /^says: (.*)$/.exec(request.ref?.name ?? "")?.[1];
      if (sniffed !== undefined) return callback(fail(grpc.status.UNKNOWN, sniffed));
      const object = store.find(request.ref!);
      if (object === undefined) return callback(missing(request.ref?.name ?? ""));
      callback(null, create(iac.ResourceReadResponseSchema, { output: output(object) }));
    },
    update({ request }, callback) {
      const config = parse(request.spec?.configJson);
      if (misbehave(config, callback as Reply<never>, () => create(iac.ResourceUpdateResponseSchema, {}))) return;
      const object = store.find(request.ref!);
      if (object === undefined) return callback(missing(request.ref?.name ?? ""));
      object.config = config;
      callback(null, create(iac.ResourceUpdateResponseSchema, { output: output(object) }));
    },
    delete({ request }, callback) {
      const object = store.find(request.ref!);
      if (object === undefined) return callback(missing(request.ref?.name ?? ""));
      store.delete(object.id);
      callback(null, create(iac.ResourceDeleteResponseSchema, {}));
    },
    diff({ request }, callback) {
      const desired = parse(request.desired?.configJson);
      const current = parse(request.current?.outputsJson);
      const changes = Object.keys(desired)
        .filter((key) => JSON.stringify(desired[key]) !== JSON.stringify(current[key]))
        .map((path) => ({
          path,
          oldJson: current[path] === undefined ? Buffer.alloc(0) : Buffer.from(JSON.stringify(current[path])),
          newJson: Buffer.from(JSON.stringify(desired[path])),
          forceNew: path === "region",
        }));
      if (changes.length === 0) return callback(null, create(iac.ResourceDiffResponseSchema, {}));
      callback(null, create(iac.ResourceDiffResponseSchema, { result: { needsUpdate: true, changes } }));
    },
    sensitiveKeys({ request }, callback) {
      note("SensitiveKeys", request.resourceType);
      callback(null, create(iac.SensitiveKeysResponseSchema, { keys: ["secret_too"] }));
    },
  };
}
