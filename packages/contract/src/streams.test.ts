import { create } from "@bufbuild/protobuf";
import * as grpc from "@grpc/grpc-js";
import { describe, expect, test } from "vitest";
import { MalformedReplyError, UnsendableRequestError } from "./client.ts";
import { ext, goPluginStdio } from "./index.ts";
import { methodPath, serveService } from "./services.ts";
import { openBidiCall, serverStreamCall } from "./streams.ts";
import { connect, failureOf, rawService, truncated } from "./testing/server.ts";

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

  test("in both directions go on after a message that cannot be encoded", async () => {
    const client = await connect((server) =>
      serveService(server, ext.DriverSession, {
        run(call) {
          call.on("data", (requests: ext.DriverRequests) =>
            call.write(create(ext.DriverRepliesSchema, { replies: requests.requests.map(({ id }) => ({ id })) })),
          );
          call.on("end", () => call.end());
        },
      }),
    );
    const call = openBidiCall(client, ext.DriverSession.method.run);
    const unsendable = call.send({ requests: [{ id: 1n, timeoutMs: -1 }] });
    expect(await failureOf(unsendable)).toBeInstanceOf(UnsendableRequestError);
    await call.send({ requests: [{ id: 2n }] });
    call.end();
    const ids: bigint[] = [];
    for await (const { replies } of call.replies) ids.push(...replies.map(({ id }) => id));
    expect(ids).toEqual([2n]);
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
