import type { IncomingHttpHeaders, OutgoingHttpHeaders } from "node:http2";
import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import * as grpc from "@grpc/grpc-js";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import * as ext from "../gen/wfctl/ext/v1/ext_pb.ts";
import { requestKeys, trailerKeys } from "../metadata.ts";
import { isoTime, jsonObject, text } from "../testing/arbitraries.ts";
import * as codec from "./driver-object.ts";
import * as trailers from "./trailers.ts";

const nonEmpty = text.filter((value) => value !== "");
const extras = fc.record(
  { inputs: jsonObject, owner: nonEmpty, created: fc.boolean(), revisitAt: isoTime },
  { noNullPrototype: true, requiredKeys: [] },
);

/** What a peer reads of what was sent. */
const fromHeaders = (headers: OutgoingHttpHeaders): grpc.Metadata =>
  grpc.Metadata.fromHttp2Headers(headers as IncomingHttpHeaders);

describe("objects of a session", () => {
  test("survive the wire with all that they say", () => {
    const object = fc
      .record({ name: text, type: text, providerId: text, outputs: jsonObject, status: text })
      .chain((base) => fc.subarray(Object.keys(base.outputs)).map((keys) => ({ ...base, sensitive: keys.toSorted() })))
      .chain((base) => extras.map((more) => ({ ...base, ...more })));
    fc.assert(
      fc.property(object, (value) => {
        const bytes = toBinary(ext.DriverObjectSchema, codec.encodeDriverObject(value));
        expect(codec.decodeDriverObject(fromBinary(ext.DriverObjectSchema, bytes))).toStrictEqual(value);
      }),
    );
  });

  test("inputs that are empty are not inputs that are unknown", () => {
    const bare = { name: "", type: "", providerId: "", outputs: {}, sensitive: [], status: "" };
    const known = codec.decodeDriverObject(codec.encodeDriverObject({ ...bare, inputs: {} }));
    expect(known.inputs).toEqual({});
    expect(codec.decodeDriverObject(codec.encodeDriverObject(bare))).toStrictEqual(bare);
  });

  test("specs travel in requests", () => {
    const spec = { name: "n", type: "t", config: { a: 1 }, size: "m", hints: { cpu: "2" }, dependsOn: ["x"] };
    const bytes = toBinary(ext.DriverRequestSchema, create(ext.DriverRequestSchema, codec.driverRequestSpec(spec)));
    expect(codec.decodeDriverRequestSpec(fromBinary(ext.DriverRequestSchema, bytes))).toStrictEqual(spec);
  });
});

describe("call context", () => {
  test("survives as metadata, whatever the texts", () => {
    const context = fc.record(
      { clientToken: nonEmpty, owner: nonEmpty, run: nonEmpty, instance: nonEmpty, traceparent: nonEmpty },
      { noNullPrototype: true, requiredKeys: [] },
    );
    fc.assert(
      fc.property(context, (value) => {
        const headers = trailers.encodeCallContext(value).toHttp2Headers();
        for (const header of Object.values(headers).flat()) expect(String(header)).toMatch(/^[\x21-\x7e]*$/);
        expect(trailers.decodeCallContext(fromHeaders(headers))).toStrictEqual(value);
      }),
    );
  });

  test("plain texts stay readable; absent and empty ones are not sent", () => {
    const metadata = trailers.encodeCallContext({ owner: "3f2a/net one", run: "" });
    expect(metadata.getMap()).toEqual({ [requestKeys.owner]: "3f2a/net%20one" });
  });

  test("text that is not percent-encoded is refused with its key", () => {
    const metadata = new grpc.Metadata();
    metadata.set(requestKeys.owner, "100%");
    expect(() => trailers.decodeCallContext(metadata)).toThrow("wfctl-owner");
  });
});

describe("trailers", () => {
  test("of a reply survive", () => {
    fc.assert(
      fc.property(extras, (value) => {
        const headers = trailers.encodeReplyTrailers(value).toHttp2Headers();
        expect(trailers.decodeReplyTrailers(fromHeaders(headers))).toStrictEqual(value);
      }),
    );
  });

  test("of a plugin that sends none say nothing", () => {
    expect(trailers.decodeReplyTrailers(new grpc.Metadata())).toEqual({});
    expect(trailers.decodeFailureTrailers(new grpc.Metadata())).toEqual({});
  });

  test("inputs too large for a trailer are left out, the rest is not", () => {
    const sent = trailers.encodeReplyTrailers({ created: true, owner: "o", inputs: { large: "x".repeat(20_000) } });
    expect(trailers.decodeReplyTrailers(sent)).toEqual({ created: true, owner: "o" });
  });

  test("of a failure survive; the id of a partial result always, its outputs where they fit", () => {
    const details = { partial: { providerId: "i-1", outputs: { ip: "::1" } }, retryAfterMs: 1500 };
    expect(trailers.decodeFailureTrailers(trailers.encodeFailureTrailers(details))).toStrictEqual(details);
    const large = { partial: { providerId: "i-1", outputs: { large: "x".repeat(20_000) } } };
    expect(trailers.decodeFailureTrailers(trailers.encodeFailureTrailers(large))).toEqual({
      partial: { providerId: "i-1", outputs: {} },
    });
  });

  test("bytes that do not decode are refused, other words for created and retry are passed over", () => {
    const metadata = new grpc.Metadata();
    metadata.set(trailerKeys.created, "maybe");
    metadata.set(trailerKeys.retryAfter, "soon");
    expect(trailers.decodeReplyTrailers(metadata)).toEqual({});
    expect(trailers.decodeFailureTrailers(metadata)).toEqual({});
    metadata.set(trailerKeys.live, Buffer.from([0xff]));
    metadata.set(trailerKeys.partial, Buffer.from([0xff]));
    expect(() => trailers.decodeReplyTrailers(metadata)).toThrow("wfctl-live-bin does not decode");
    expect(() => trailers.decodeFailureTrailers(metadata)).toThrow("wfctl-partial-bin does not decode");
  });
});
