import { create } from "@bufbuild/protobuf";
import * as grpc from "@grpc/grpc-js";
import { ambiguousClasses, definiteClasses, ProviderError, type ProviderErrorClass } from "@wfctl/model";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { unaryCall } from "../client.ts";
import * as iac from "../gen/workflow/plugin/external/iac/iac_pb.ts";
import { serveService } from "../services.ts";
import { connect, failureOf } from "../testing/server.ts";
import { providerErrorFromStatus, toProviderError } from "./from-status.ts";
import { sentinels } from "./sentinels.ts";
import { statusFromError, unsupportedTypeStatus } from "./to-status.ts";

const { status } = grpc;
const classOf = (code: number, message: string, answered = true): ProviderErrorClass =>
  providerErrorFromStatus(code, message, { answered }).class;

describe("writing a status", () => {
  const classes = [...definiteClasses, ...ambiguousClasses];

  test("gives every class the code and the sentinel that hosts look for", () => {
    const statusOf = (errorClass: ProviderErrorClass): [number, string] => {
      const { code, message } = statusFromError(new ProviderError(errorClass, "no luck"));
      return [code, message];
    };
    expect(classes.map((errorClass) => [errorClass, ...statusOf(errorClass)])).toEqual([
      ["validation", status.INVALID_ARGUMENT, "iac: validation error: no luck"],
      ["unauthorized", status.UNAUTHENTICATED, "iac: unauthorized: no luck"],
      ["forbidden", status.PERMISSION_DENIED, "iac: forbidden: no luck"],
      ["image_missing", status.FAILED_PRECONDITION, "iac: image tag or digest not found in registry: no luck"],
      ["already_exists", status.ALREADY_EXISTS, "iac: resource already exists: no luck"],
      ["not_found", status.NOT_FOUND, "iac: resource not found: no luck"],
      ["unsupported", status.UNIMPLEMENTED, "no luck"],
      ["rate_limited", status.RESOURCE_EXHAUSTED, "iac: rate limited: no luck"],
      ["transient", status.UNAVAILABLE, "iac: transient error: service unavailable: no luck"],
      ["unknown", status.UNKNOWN, "no luck"],
      ["deadline", status.DEADLINE_EXCEEDED, "no luck"],
      ["cancelled", status.CANCELLED, "no luck"],
      ["plugin_exit", status.INTERNAL, "no luck"],
      ["bad_reply", status.INTERNAL, "no luck"],
    ]);
  });

  test("is read back as the same class, whatever the message says", () => {
    const piece = fc.oneof(
      fc.string({ unit: "binary", maxLength: 8 }),
      fc.constantFrom(
        "iac: ",
        "iac: iac: resource not found",
        "unsupported resource type",
        "404",
        ...sentinels.map(([, text]) => text),
      ),
    );
    fc.assert(
      fc.property(fc.constantFrom(...classes), fc.array(piece, { maxLength: 6 }), (errorClass, pieces) => {
        const { code, message } = statusFromError(new ProviderError(errorClass, pieces.join("")));
        const internal = errorClass === "plugin_exit" || errorClass === "bad_reply";
        expect(classOf(code, message)).toBe(internal ? "unknown" : errorClass);
      }),
    );
  });

  test("says the sentinel once", () => {
    const error = new ProviderError("not_found", "iac: resource not found: vpc net");
    expect(statusFromError(error).message).toBe("iac: resource not found: vpc net");
  });

  test("transient messages hold the words that upstream's polling looks for, once", () => {
    expect(statusFromError(new ProviderError("transient", "HTTP 503")).message).toBe("iac: transient error: HTTP 503");
  });

  test("a resource type without a driver: NOT_FOUND without the sentinel; none named: INVALID_ARGUMENT", () => {
    const unknown = unsupportedTypeStatus("infra.nope");
    expect([unknown.code, unknown.message]).toEqual([status.NOT_FOUND, 'unsupported resource type "infra.nope"']);
    expect(
      classOf(
        unsupportedTypeStatus("iac: resource not found").code,
        unsupportedTypeStatus("iac: resource not found").message,
      ),
    ).toBe("unsupported");
    expect(unsupportedTypeStatus("").code).toBe(status.INVALID_ARGUMENT);
  });
});

describe("over a real connection", () => {
  const failing = (error: ProviderError, options: Parameters<typeof connect>[1] = {}): Promise<grpc.Client> =>
    connect(
      (server) =>
        serveService(server, iac.ResourceDriver, {
          create(_call, callback) {
            const { code, message, trailers } = statusFromError(error);
            callback({ code, details: message, metadata: trailers });
          },
        }),
      options,
    );
  const call = (client: grpc.Client): Promise<unknown> =>
    unaryCall(client, iac.ResourceDriver.method.create, { resourceType: "infra.vpc" });

  test("class, message, retry time and partial result arrive", async () => {
    const partial = { providerId: "vpc-1", outputs: { cidr: "10.0.0.0/8", note: "é" } };
    const sent = new ProviderError("rate_limited", "Größe überschritten\nnächste Zeile", {
      retryAfterMs: 250,
      partial,
    });
    const error = toProviderError(await failureOf(call(await failing(sent))));
    expect(error).toMatchObject({
      class: "rate_limited",
      answered: true,
      message: "iac: rate limited: Größe überschritten\nnächste Zeile",
      retryAfterMs: 250,
      partial,
    });
  });

  test("very long messages, lone surrogates and large partial results do not cost the answer", async () => {
    const partial = { providerId: "vpc-1", outputs: { log: "x".repeat(100_000) } };
    for (const message of ["é€😀".repeat(20_000), "\ud800 lone", "\udc00".repeat(5000)]) {
      const error = toProviderError(
        await failureOf(call(await failing(new ProviderError("validation", message, { partial })))),
      );
      expect(error).toMatchObject({ class: "validation", answered: true, partial: { providerId: "vpc-1" } });
    }
  });

  test("a request above the server's limit is a definite refusal; a reply above the client's is a lost answer", async () => {
    const limit = 1024;
    const spec = { name: "n", configJson: new Uint8Array(2 * limit) };
    const echo = (server: grpc.Server): void =>
      serveService(server, iac.ResourceDriver, {
        create: (_call, callback) =>
          callback(
            null,
            create(iac.ResourceCreateResponseSchema, { output: { outputsJson: new Uint8Array(2 * limit) } }),
          ),
      });
    const { create: method } = iac.ResourceDriver.method;
    const strictServer = await connect(echo, { server: { "grpc.max_receive_message_length": limit } });
    const refused = toProviderError(await failureOf(unaryCall(strictServer, method, { resourceType: "t", spec })));
    expect([refused.class, refused.answered]).toEqual(["validation", true]);
    const strictClient = await connect(echo, { client: { "grpc.max_receive_message_length": limit } });
    const lost = toProviderError(await failureOf(unaryCall(strictClient, method, { resourceType: "t" })));
    expect([lost.class, lost.answered, lost.definite]).toEqual(["bad_reply", false, false]);
  });

  test("trailers that do not decode do not hide the status", async () => {
    const client = await connect((server) =>
      serveService(server, iac.ResourceDriver, {
        create(_call, callback) {
          const metadata = new grpc.Metadata();
          metadata.set("wfctl-partial-bin", Buffer.from([0xff]));
          callback({ code: status.ALREADY_EXISTS, details: "iac: resource already exists: net", metadata });
        },
      }),
    );
    expect(toProviderError(await failureOf(call(client)))).toMatchObject({
      class: "already_exists",
      partial: undefined,
    });
  });
});
