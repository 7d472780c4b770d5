import { create } from "@bufbuild/protobuf";
import * as grpc from "@grpc/grpc-js";
import { driverOperations, ext, serveService } from "@wfctl/contract";
import type { JsonObject } from "@wfctl/model";

import { fail, note } from "./serve.ts";
import { createStore, type StoredObject } from "./store.ts";

type Reply = Omit<ext.DriverReply, "$typeName" | "$unknown" | "id">;

const { DriverOperation } = ext;
const encode = (value: object) => Buffer.from(JSON.stringify(value));

function objectOf(object: StoredObject, created: ext.Created = ext.Created.UNSPECIFIED): ext.DriverObject {
  return create(ext.DriverObjectSchema, {
    name: object.name,
    type: object.type,
    providerId: object.id,
    outputsJson: encode({ ...object.config, endpoint: `https://${object.id}` }),
    sensitive: ["password"],
    status: "running",
    live: { inputsJson: encode(object.config), owner: "lineage/thing", revisitAt: { seconds: 1_800_000_000n, nanos: 0 } },
    created,
  });
}

export interface SessionOptions {
  /** What each configuration has made. @default the same for all */
  readonly storeOf?: (instance: string) => ReturnType<typeof createStore>;
  readonly identityOf?: (instance: string) => string;
}

/** Our own services over a store in memory. */
export function serveSession(server: grpc.Server, options: SessionOptions = {}): void {
  const store = createStore();
  const storeOf = options.storeOf ?? (() => store);
  const identityOf = options.identityOf ?? (() => "fixture:1:here");

  const answer = (request: ext.DriverRequest): Partial<Reply> | undefined => {
    const store = storeOf(request.instance);
    const config = (request.configJson.length === 0 ? {} : JSON.parse(Buffer.from(request.configJson).toString())) as JsonObject;
    if (config["crash"] === true) process.exit(7);
    if (config["hang"] === true) return undefined;
    if (typeof config["fail"] === "string") {
      return {
        code: Number(config["code"]),
        message: config["fail"],
        retryAfterMs: 1500,
        partial: create(ext.PartialResultSchema, { providerId: "half-made", outputsJson: encode({ arn: "x" }) }),
      };
    }
    if (config["empty"] === true) return {};
    const ref = { providerId: request.providerId, name: request.name, type: request.resourceType };
    switch (request.operation) {
      case DriverOperation.CREATE: {
        const known = store.byToken(request.clientToken);
        if (known !== undefined) return { object: objectOf(known, ext.Created.FOUND) };
        const object = store.create(request.name, request.resourceType, config, request.clientToken);
        return { object: objectOf(object, ext.Created.BY_THIS_CALL) };
      }
      case DriverOperation.READ: {
        const object = store.find(ref);
        return object === undefined ? { absent: true } : { object: objectOf(object) };
      }
      case DriverOperation.UPDATE: {
        const object = store.find(ref);
        if (object === undefined) return { code: grpc.status.NOT_FOUND, message: "iac: resource not found: gone" };
        object.config = config;
        return { object: objectOf(object) };
      }
      case DriverOperation.DELETE:
        if (!store.delete(request.providerId)) return { code: grpc.status.NOT_FOUND, message: "iac: resource not found" };
        return {};
      case DriverOperation.DIFF:
        return { diff: create(ext.DriverDiffSchema, { needsUpdate: true, changes: [{ path: "size", newJson: encode(["l"]) }] }) };
      case DriverOperation.LOOKUP: {
        const object = store.byToken(request.clientToken);
        return object === undefined ? { absent: true } : { object: objectOf(object) };
      }
      default:
        return { code: grpc.status.UNIMPLEMENTED, message: "no such operation" };
    }
  };

  serveService(server, ext.DriverSession, {
    run(stream) {
      note("session");
      stream.on("data", ({ requests, priorities }: ext.DriverRequests) => {
        for (const { priority } of priorities) note("priority", String(priority));
        if (requests.length === 0) return;
        note("batch", String(requests.length));
        const replies: ext.DriverReply[] = [];
        for (const request of requests) {
          if (request.operation === DriverOperation.CANCEL) {
            note("cancel");
            continue;
          }
          note("request", JSON.stringify([driverOperations.fromWire(request.operation, "operation"), request.run, request.clientToken, request.owner]));
          const config = request.configJson.length === 0 ? "" : Buffer.from(request.configJson).toString();
          if (config.includes("endSession")) return stream.end();
          if (config.includes("breakSession")) {
            return void stream.emit("error", fail(grpc.status.INVALID_ARGUMENT, "iac: validation error"));
          }
          if (config.includes("progress")) {
            replies.push(create(ext.DriverReplySchema, { id: request.id, progress: { message: "waiting for the cloud", waiting: true } }));
            replies.push(create(ext.DriverReplySchema, { id: request.id, progress: { message: "waiting for its turn", waiting: true, limited: true } }));
          }
          const reply = answer(request);
          if (reply !== undefined) replies.push(create(ext.DriverReplySchema, { ...reply, id: request.id }));
        }
        // Answers come in any order, and some that nobody waits for.
        replies.reverse().sort((a, b) => Number(b.progress !== undefined) - Number(a.progress !== undefined));
        stream.write(create(ext.DriverRepliesSchema, { replies: [...replies, create(ext.DriverReplySchema, { id: 999_999n })] }));
      });
      stream.on("end", () => stream.end());
    },
  });
  serveService(server, ext.ProviderIdentity, {
    getIdentity: (call, callback) => {
      const identity = identityOf(instanceOf(call.metadata));
      callback(null, create(ext.GetIdentityResponseSchema, { identity, labels: { account: "1", region: "here" } }));
    },
  });
  serveService(server, ext.ResourceSchemas, {
    listResourceTypes: (_call, callback) =>
      callback(
        null,
        create(ext.ListResourceTypesResponseSchema, {
          schemaDigest: "digest-1",
          provider: { configSchemaJson: encode({ type: "object" }), clientTokens: true, ownLimits: true },
          types: [
            {
              type: "infra.database",
              inputSchemaJson: encode({ type: "object", title: "in" }),
              outputSchemaJson: encode({ type: "object", title: "out" }),
              forceNew: ["region"],
              sensitiveInputs: ["password"],
              writeOnly: ["seed"],
              sensitiveOutputs: ["endpoint", "not_there"],
              createFirst: true,
              convergentCreate: true,
              lookup: true,
              irreversibleUpdate: true,
              settleMs: 1000,
              typicalCreateMs: 700,
              createTimeoutMs: 5000,
              readsInputs: true,
            },
          ],
        }),
      ),
  });
  serveService(server, ext.ClientTokens, {
    lookup(call, callback) {
      const object = store.byToken(call.request.clientToken);
      callback(null, create(ext.LookupResponseSchema, object === undefined ? {} : { found: true, object: objectOf(object) }));
    },
  });
  serveService(server, ext.RunControl, {
    stop(call, callback) {
      note("Stop", `${call.request.run}${instanceOf(call.metadata)}`);
      callback(null, create(ext.StopResponseSchema, {}));
    },
  });
}

/** The configuration that a call names. */
export function instanceOf(metadata: grpc.Metadata): string {
  return String(metadata.get("wfctl-instance")[0] ?? "");
}
