import { create } from "@bufbuild/protobuf";
import * as grpc from "@grpc/grpc-js";
import { describe, expect, onTestFinished, test } from "vitest";
import { ext, goPluginBroker, goPluginStdio, iac } from "./index.ts";
import { MalformedReplyError, unaryCall, wasAnswered } from "./client.ts";
import { methodPath, serveService, toGrpcService } from "./services.ts";
import { openBidiCall, serverStreamCall } from "./streams.ts";
import { connect, failureOf } from "./testing/server.ts";

/** A method that answers raw bytes: what a broken plugin may send. */
function rawService(
  path: string,
  handler: grpc.UntypedHandleCall,
): [grpc.ServiceDefinition, grpc.UntypedServiceImplementation] {
  const identity = (bytes: Buffer): Buffer => bytes;
  const requestStream = false;
  const responseStream = path.endsWith("StreamStdio");
  return [
    {
      call: {
        path,
        requestStream,
        responseStream,
        requestSerialize: identity,
        requestDeserialize: identity,
        responseSerialize: identity,
        responseDeserialize: identity,
      },
    },
    { call: handler },
  ];
}

const createMethod = iac.ResourceDriver.method.create;
const request = { resourceType: "infra.vpc", spec: { name: "net", type: "infra.vpc" } };
// Field 1, length 5, but only one byte follows.
const truncated = Buffer.from([0x0a, 0x05, 0x01]);

describe("service definitions", () => {
  test("name each rpc with its full path and its streaming kind", () => {
    const driver = toGrpcService(iac.ResourceDriver);
    expect(Object.keys(driver)).toEqual([
      "Create",
      "Read",
      "Update",
      "Delete",
      "Diff",
      "Scale",
      "HealthCheck",
      "SensitiveKeys",
      "Troubleshoot",
    ]);
    expect(driver["Create"]?.path).toBe("/workflow.plugin.external.iac.ResourceDriver/Create");
    expect(methodPath(ext.DriverSession.method.run)).toBe("/wfctl.ext.v1.DriverSession/Run");
    const kinds = (name: "call" | "stdio" | "broker") => {
      const definition = {
        call: driver["Create"],
        stdio: toGrpcService(goPluginStdio.GRPCStdio)["StreamStdio"],
        broker: toGrpcService(goPluginBroker.GRPCBroker)["StartStream"],
      }[name];
      return [definition?.requestStream, definition?.responseStream];
    };
    expect(kinds("call")).toEqual([false, false]);
    expect(kinds("stdio")).toEqual([false, true]);
    expect(kinds("broker")).toEqual([true, true]);
  });
});

describe("unary calls", () => {
  test("carry request, metadata, reply and trailers", async () => {
    const client = await connect((server) =>
      serveService(server, iac.ResourceDriver, {
        create(call, callback) {
          const trailers = new grpc.Metadata();
          trailers.set("wfctl-created", "true");
          const name = `${call.request.spec?.name}/${String(call.metadata.get("wfctl-run")[0])}`;
          callback(null, create(iac.ResourceCreateResponseSchema, { output: { name } }), trailers);
        },
      }),
    );
    const metadata = new grpc.Metadata();
    metadata.set("wfctl-run", "r1");
    const { response, trailers } = await unaryCall(client, createMethod, request, { metadata });
    expect(response.output?.name).toBe("net/r1");
    expect(trailers.get("wfctl-created")).toEqual(["true"]);
  });

  test("reject with the server's status, which counts as answered", async () => {
    const client = await connect((server) =>
      serveService(server, iac.ResourceDriver, {
        create: (_call, callback) => callback({ code: grpc.status.INTERNAL, details: "the driver fell over" }),
      }),
    );
    const error = (await failureOf(unaryCall(client, createMethod, request))) as grpc.ServiceError;
    expect([error.code, error.details]).toEqual([grpc.status.INTERNAL, "the driver fell over"]);
    expect(wasAnswered(error)).toBe(true);
  });

  test("an rpc without a handler answers UNIMPLEMENTED", async () => {
    const client = await connect((server) => serveService(server, iac.ResourceDriver, {}));
    const error = (await failureOf(unaryCall(client, createMethod, request))) as grpc.ServiceError;
    expect(error.code).toBe(grpc.status.UNIMPLEMENTED);
    expect(wasAnswered(error)).toBe(true);
  });

  test("a server that is not there, and a deadline, count as not answered", async () => {
    const nobody = new grpc.Client("127.0.0.1:1", grpc.credentials.createInsecure());
    onTestFinished(() => nobody.close());
    const refused = (await failureOf(unaryCall(nobody, createMethod, request))) as grpc.ServiceError;
    expect([refused.code, wasAnswered(refused)]).toEqual([grpc.status.UNAVAILABLE, false]);

    const silent = await connect((server) => serveService(server, iac.ResourceDriver, { create: () => {} }));
    const late = (await failureOf(
      unaryCall(silent, createMethod, request, { deadline: Date.now() + 50 }),
    )) as grpc.ServiceError;
    expect([late.code, wasAnswered(late)]).toEqual([grpc.status.DEADLINE_EXCEEDED, false]);
  });

  test("a server that dies during the call counts as not answered", async () => {
    const client = await connect((server) =>
      serveService(server, iac.ResourceDriver, { create: () => server.forceShutdown() }),
    );
    const error = (await failureOf(unaryCall(client, createMethod, request))) as grpc.ServiceError;
    expect(wasAnswered(error)).toBe(false);
  });

  test("end CANCELLED on both sides when the signal aborts", async () => {
    const arrived = Promise.withResolvers<void>();
    const cancelled = Promise.withResolvers<void>();
    const client = await connect((server) =>
      serveService(server, iac.ResourceDriver, {
        create(call) {
          call.on("cancelled", () => cancelled.resolve());
          arrived.resolve();
        },
      }),
    );
    const abort = new AbortController();
    const failed = failureOf(unaryCall(client, createMethod, request, { signal: abort.signal }));
    await arrived.promise;
    abort.abort();
    expect((await failed) as grpc.ServiceError).toMatchObject({ code: grpc.status.CANCELLED });
    await cancelled.promise;
  });

  test("are not sent when the signal is aborted already", async () => {
    let calls = 0;
    const client = await connect((server) =>
      serveService(server, iac.ResourceDriver, {
        create(_call, callback) {
          calls += 1;
          callback(null, create(iac.ResourceCreateResponseSchema));
        },
      }),
    );
    const error = await failureOf(unaryCall(client, createMethod, request, { signal: AbortSignal.abort() }));
    expect(error).toMatchObject({ code: grpc.status.CANCELLED });
    await unaryCall(client, createMethod, request);
    expect(calls).toBe(1);
  });

  test("tell a reply that does not decode from an error of the server", async () => {
    const client = await connect((server) =>
      server.addService(
        ...rawService(methodPath(createMethod), ((_call: unknown, callback: grpc.sendUnaryData<Buffer>) =>
          callback(null, truncated)) as grpc.UntypedHandleCall),
      ),
    );
    const error = await failureOf(unaryCall(client, createMethod, request));
    expect(error).toBeInstanceOf(MalformedReplyError);
    expect((error as MalformedReplyError).path).toBe("/workflow.plugin.external.iac.ResourceDriver/Create");
  });

  test("refuse text that is not UTF-8", async () => {
    // ResourceCreateResponse.output (1) { name (1) = 0xff }
    const client = await connect((server) =>
      server.addService(
        ...rawService(methodPath(createMethod), ((_call: unknown, callback: grpc.sendUnaryData<Buffer>) =>
          callback(null, Buffer.from([0x0a, 0x03, 0x0a, 0x01, 0xff]))) as grpc.UntypedHandleCall),
      ),
    );
    expect(await failureOf(unaryCall(client, createMethod, request))).toBeInstanceOf(MalformedReplyError);
  });

  test("success without a message is a malformed reply, not UNIMPLEMENTED", async () => {
    const definition = rawService(methodPath(createMethod), ((call: grpc.ServerWritableStream<Buffer, Buffer>) =>
      call.end()) as grpc.UntypedHandleCall);
    const client = await connect((server) =>
      server.addService({ call: { ...definition[0]["call"]!, responseStream: true } }, definition[1]),
    );
    expect(await failureOf(unaryCall(client, createMethod, request))).toBeInstanceOf(MalformedReplyError);
  });

  test("two messages are never taken for a reply: the deadline ends the call", async () => {
    const definition = rawService(methodPath(createMethod), ((call: grpc.ServerWritableStream<Buffer, Buffer>) => {
      call.write(Buffer.alloc(0));
      call.write(Buffer.alloc(0));
      call.end();
    }) as grpc.UntypedHandleCall);
    const client = await connect((server) =>
      server.addService({ call: { ...definition[0]["call"]!, responseStream: true } }, definition[1]),
    );
    const failed = failureOf(unaryCall(client, createMethod, request, { deadline: Date.now() + 100 }));
    expect(await failed).toMatchObject({ code: grpc.status.DEADLINE_EXCEEDED });
  });
});

describe("streams", () => {
  const chunk = (text: string) => create(goPluginStdio.StdioDataSchema, { channel: 1, data: Buffer.from(text) });

  test("give the replies in order and end with the call", async () => {
    const client = await connect((server) =>
      serveService(server, goPluginStdio.GRPCStdio, {
        streamStdio(call) {
          call.write(chunk("a"));
          call.write(chunk("b"));
          call.end();
        },
      }),
    );
    const texts: string[] = [];
    for await (const data of serverStreamCall(client, goPluginStdio.GRPCStdio.method.streamStdio, {})) {
      texts.push(Buffer.from(data.data).toString());
    }
    expect(texts).toEqual(["a", "b"]);
  });

  test("throw the server's status after the replies before it", async () => {
    const client = await connect((server) =>
      serveService(server, goPluginStdio.GRPCStdio, {
        streamStdio(call) {
          call.write(chunk("a"));
          call.emit("error", { code: grpc.status.UNAVAILABLE, details: "gone" });
        },
      }),
    );
    const texts: string[] = [];
    const read = async (): Promise<void> => {
      for await (const data of serverStreamCall(client, goPluginStdio.GRPCStdio.method.streamStdio, {})) {
        texts.push(Buffer.from(data.data).toString());
      }
    };
    expect(await failureOf(read())).toMatchObject({ code: grpc.status.UNAVAILABLE, details: "gone" });
    expect(texts).toEqual(["a"]);
  });

  test("throw a malformed reply as such", async () => {
    const path = methodPath(goPluginStdio.GRPCStdio.method.streamStdio);
    const client = await connect((server) =>
      server.addService(
        ...rawService(path, ((call: grpc.ServerWritableStream<Buffer, Buffer>) => {
          call.write(truncated);
          call.end();
        }) as grpc.UntypedHandleCall),
      ),
    );
    const read = async (): Promise<void> => {
      for await (const _ of serverStreamCall(client, goPluginStdio.GRPCStdio.method.streamStdio, {}))
        expect.unreachable();
    };
    expect(await failureOf(read())).toBeInstanceOf(MalformedReplyError);
  });

  test("are cancelled on the server by leaving the loop and by the signal", async () => {
    let cancelled = Promise.withResolvers<void>();
    const client = await connect((server) =>
      serveService(server, goPluginStdio.GRPCStdio, {
        streamStdio(call) {
          call.on("cancelled", () => cancelled.resolve());
          call.write(chunk("a"));
        },
      }),
    );
    const { streamStdio } = goPluginStdio.GRPCStdio.method;
    for await (const _ of serverStreamCall(client, streamStdio, {})) break;
    await cancelled.promise;

    cancelled = Promise.withResolvers<void>();
    const abort = new AbortController();
    const read = async (): Promise<void> => {
      for await (const _ of serverStreamCall(client, streamStdio, {}, { signal: abort.signal })) abort.abort();
    };
    expect(await failureOf(read())).toMatchObject({ code: grpc.status.CANCELLED });
    await cancelled.promise;
    await expect(
      serverStreamCall(client, streamStdio, {}, { signal: AbortSignal.abort() }).next(),
    ).rejects.toMatchObject({
      code: grpc.status.CANCELLED,
    });
  });

  test("in both directions answer what is sent, under back pressure, and end when the sending side closes", async () => {
    const client = await connect((server) =>
      serveService(server, ext.DriverSession, {
        run(call) {
          call.on("data", (requests: ext.DriverRequests) => {
            call.write(create(ext.DriverRepliesSchema, { replies: requests.requests.map(({ id }) => ({ id })) }));
          });
          call.on("end", () => call.end());
        },
      }),
    );
    const call = openBidiCall(client, ext.DriverSession.method.run);
    const count = 200;
    const sending = (async () => {
      for (let id = 1; id <= count; id += 1) {
        await call.send({ requests: [{ id: BigInt(id), configJson: new Uint8Array(10_000) }] });
      }
      call.end();
    })();
    const ids: bigint[] = [];
    for await (const { replies } of call.replies) ids.push(...replies.map(({ id }) => id));
    await sending;
    expect(ids).toEqual(Array.from({ length: count }, (_, index) => BigInt(index + 1)));
  });

  test("in both directions drop what is sent after the end instead of waiting", async () => {
    const client = await connect((server) =>
      serveService(server, ext.DriverSession, {
        run: (call) => void call.emit("error", { code: grpc.status.ABORTED, details: "no" }),
      }),
    );
    const call = openBidiCall(client, ext.DriverSession.method.run);
    expect(await failureOf(call.replies.next())).toMatchObject({ code: grpc.status.ABORTED });
    const large = new Uint8Array(100_000);
    for (let id = 1n; id < 20n; id += 1n) await call.send({ requests: [{ id, configJson: large }] });
    call.end();
  });
});
