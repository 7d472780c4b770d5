import { create } from "@bufbuild/protobuf";
import * as grpc from "@grpc/grpc-js";
import { describe, expect, onTestFinished, test } from "vitest";
import { MalformedReplyError, unaryCall, UnsendableRequestError, wasAnswered } from "./client.ts";
import { iac } from "./index.ts";
import { methodPath, serveService } from "./services.ts";
import { connect, failureOf, rawService, truncated } from "./testing/server.ts";

const createMethod = iac.ResourceDriver.method.create;
const request = { resourceType: "infra.vpc", spec: { name: "net", type: "infra.vpc" } };

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

  test("are not sent when the request cannot be encoded", async () => {
    const client = await connect((server) =>
      serveService(server, iac.ResourceDriver, { scale: () => expect.unreachable("the request should not arrive") }),
    );
    const scale = unaryCall(client, iac.ResourceDriver.method.scale, { replicas: 2 ** 40 });
    expect(await failureOf(scale)).toBeInstanceOf(UnsendableRequestError);
  });

  test("count as answered by a code that only servers give, even behind headers sent early", async () => {
    const failingLate = (code: grpc.status): Promise<grpc.Client> =>
      connect((server) =>
        serveService(server, iac.ResourceDriver, {
          create(call, callback) {
            call.sendMetadata(new grpc.Metadata());
            callback({ code, details: "late" });
          },
        }),
      );
    const answered = async (code: grpc.status): Promise<boolean> =>
      wasAnswered((await failureOf(unaryCall(await failingLate(code), createMethod, request))) as grpc.ServiceError);
    expect(await answered(grpc.status.ALREADY_EXISTS)).toBe(true);
    expect(await answered(grpc.status.UNAVAILABLE)).toBe(false);
  });

  test("a status without a gRPC content type is no answer of the plugin", () => {
    const metadata = new grpc.Metadata();
    metadata.set("content-type", "text/html");
    const error = { code: grpc.status.PERMISSION_DENIED, metadata } as grpc.ServiceError;
    expect(wasAnswered(error)).toBe(false);
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
