import * as grpc from "@grpc/grpc-js";
import { ProviderError, type ProviderErrorClass } from "@wfctl/model";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { MalformedReplyError, UnsendableRequestError } from "../client.ts";
import { WireFormatError } from "../codec/json.ts";
import { providerErrorFromStatus, toProviderError } from "./from-status.ts";
import { sentinels, sniffClass } from "./sentinels.ts";
import { unsupportedTypeStatus } from "./to-status.ts";

const { status } = grpc;
const classOf = (code: number, message: string, answered = true): ProviderErrorClass =>
  providerErrorFromStatus(code, message, { answered }).class;

describe("reading a status", () => {
  test.each(sentinels)(
    "%s: its sentinel decides whatever the code, wherever in the message",
    (errorClass, sentinel) => {
      for (const code of [status.UNKNOWN, status.INTERNAL, status.ALREADY_EXISTS, status.NOT_FOUND]) {
        expect(classOf(code, `${sentinel}: GET /v2/x: 404`)).toBe(errorClass);
        expect(classOf(code, `database "db": ${sentinel}`)).toBe(errorClass);
      }
    },
  );

  test("a missing image is not a missing resource", () => {
    const message = "iac: resource not found: iac: image tag or digest not found in registry: nginx:9";
    expect(classOf(status.NOT_FOUND, message)).toBe("image_missing");
  });

  test("without a sentinel the code decides", () => {
    const codes: [number, ProviderErrorClass][] = [
      [status.CANCELLED, "cancelled"],
      [status.UNKNOWN, "unknown"],
      [status.INVALID_ARGUMENT, "validation"],
      [status.DEADLINE_EXCEEDED, "deadline"],
      [status.NOT_FOUND, "not_found"],
      [status.ALREADY_EXISTS, "already_exists"],
      [status.PERMISSION_DENIED, "forbidden"],
      [status.RESOURCE_EXHAUSTED, "rate_limited"],
      [status.FAILED_PRECONDITION, "validation"],
      [status.ABORTED, "unknown"],
      [status.OUT_OF_RANGE, "unknown"],
      [status.UNIMPLEMENTED, "unsupported"],
      [status.INTERNAL, "unknown"],
      [status.UNAVAILABLE, "transient"],
      [status.DATA_LOSS, "unknown"],
      [status.UNAUTHENTICATED, "unauthorized"],
      [99, "unknown"],
    ];
    for (const [code, errorClass] of codes) expect([code, classOf(code, "it failed")]).toEqual([code, errorClass]);
  });

  test("words of an UNKNOWN status never make it definite", () => {
    const words = [
      "not found",
      "404",
      "already exists",
      "ResourceNotFoundException",
      "403 forbidden",
      "invalid subnet",
    ];
    for (const message of words) {
      const error = providerErrorFromStatus(status.UNKNOWN, message, { answered: true });
      expect([error.class, error.definite]).toEqual(["unknown", false]);
    }
  });

  test("NOT_FOUND of a resource type without a driver is not an object that is gone", () => {
    for (const message of [
      'aws ResourceDriver: aws: unsupported resource type "infra.nope"',
      'no driver for resource type "infra.nope"',
      "unknown resource type infra.nope",
      "unknown resource_type",
      "driver not found",
      unsupportedTypeStatus("infra.nope").message,
    ]) {
      expect([message, classOf(status.NOT_FOUND, message)]).toEqual([message, "unsupported"]);
    }
    for (const message of [
      "vpc net: no such vpc",
      "driver bucket xyz gone",
      "iac: resource not found: unsupported resource type",
    ]) {
      expect([message, classOf(status.NOT_FOUND, message)]).toEqual([message, "not_found"]);
    }
  });

  test("a definite class needs the server's own status, or a sentinel", () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 20 }), fc.string(), (code, message) => {
        const error = providerErrorFromStatus(code, message, { answered: false });
        fc.pre(!sentinels.some(([, text]) => message.includes(text)));
        expect(error.definite).toBe(false);
      }),
    );
    expect(classOf(status.UNIMPLEMENTED, "", false)).toBe("unknown");
    expect(classOf(status.UNKNOWN, "iac: forbidden: no", false)).toBe("forbidden");
  });

  test("a message too large is no rate limit: sent, it was refused unread; received, its answer is lost", () => {
    expect(classOf(status.RESOURCE_EXHAUSTED, "grpc: received message larger than max (5000000 vs. 4194304)")).toBe(
      "validation",
    );
    expect(classOf(status.RESOURCE_EXHAUSTED, "Attempted to send message with a size larger than 4194304", false)).toBe(
      "validation",
    );
    expect(classOf(status.RESOURCE_EXHAUSTED, "trying to send message larger than max (5 vs. 4)", false)).toBe(
      "validation",
    );
    expect(classOf(status.RESOURCE_EXHAUSTED, "Received message larger than max (5 vs 4)", false)).toBe("bad_reply");
  });

  test("keeps message, retry time, partial result and cause; an empty message says the status", () => {
    const partial = { providerId: "i-1", outputs: { a: 1 } };
    const cause = new Error("below");
    const error = providerErrorFromStatus(status.UNAVAILABLE, "busy", {
      answered: true,
      retryAfterMs: 5,
      partial,
      cause,
    });
    expect(error).toMatchObject({ message: "busy", answered: true, retryAfterMs: 5, partial, cause });
    expect(providerErrorFromStatus(status.UNAVAILABLE, "", { answered: false }).message).toBe(
      "The call ended with status UNAVAILABLE",
    );
  });
});

describe("sniffing words", () => {
  test.each([
    ["Server Not Found (404)", "not_found"],
    ["405 method", "not_found"],
    ["bucket does not exist", "not_found"],
    ["no such host", "not_found"],
    ["name already exists: not found", "not_found"],
    ["HTTP 409", "already_exists"],
    ["Conflict", "already_exists"],
    ["Too Many Requests", "rate_limited"],
    ["API rate limit hit", "rate_limited"],
    ["503", "transient"],
    ["Bad Gateway", "transient"],
    ["401", "unauthorized"],
    ["unable to authenticate you", "unauthorized"],
    ["Forbidden", "forbidden"],
    ["422 unprocessable", "validation"],
    ["invalid cidr", "validation"],
    ["connection reset", undefined],
    ["iac: transient error", undefined],
    ["", undefined],
  ] as const)("%j suggests %s", (message, errorClass) => {
    expect(sniffClass(message)).toBe(errorClass);
  });
});

test("what else a call throws: unsendable requests are definite, malformed replies are bad replies, the rest is unknown and not answered", () => {
  const classified = (thrown: unknown): [string, boolean] => {
    const error = toProviderError(thrown);
    return [error.class, error.answered];
  };
  expect(classified(new UnsendableRequestError("/a/B", "why"))).toEqual(["validation", false]);
  expect(classified(new MalformedReplyError("/a/B", "short"))).toEqual(["bad_reply", false]);
  expect(classified(new WireFormatError("ResourceOutput.outputs_json", "is not valid JSON"))).toEqual([
    "bad_reply",
    false,
  ]);
  expect(classified(new TypeError("x is not a function"))).toEqual(["unknown", false]);
  expect(classified("text")).toEqual(["unknown", false]);
  const own = new ProviderError("deadline", "late");
  expect(toProviderError(own)).toBe(own);
});
