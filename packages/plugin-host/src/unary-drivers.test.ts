import { afterAll, beforeAll, describe, expect, test } from "vitest";

import { createFixtureHost, failureOf, options, ref, spec, type FixtureHost } from "../testdata/host.ts";
import type { PluginProvider } from "./options.ts";

let host: FixtureHost;
let provider: PluginProvider;
beforeAll(async () => {
  host = createFixtureHost({ maxReplyBytes: 8 * 1024 * 1024 });
  provider = await host.configure("upstream", { token: "a-very-secret-token" });
});
afterAll(() => host[Symbol.asyncDispose]());

const creates = () => host.calls().filter((call) => call.startsWith("Create")).length;

describe("an upstream plugin", () => {
  test("declares what it serves", () => {
    expect(provider.features).toEqual({
      drivers: true,
      finalizer: false,
      clientTokens: false,
      lookup: false,
      stop: false,
      ownLimits: false,
      readsInputs: false,
    });
    expect(provider.traits("infra.whatever")).toEqual({});
  });

  test("creates, reads, updates and deletes", async () => {
    const created = await provider.create(spec("db", { size: "s" }), options);
    expect(created).toMatchObject({
      name: "",
      type: "",
      providerId: expect.stringMatching(/^db-\d+$/) as string,
      status: "running",
    });
    expect(created.outputs).toMatchObject({ size: "s" });
    const { providerId } = created;
    expect(await provider.read(ref("db", providerId), options)).toEqual(created);
    expect(await provider.read(ref("db"), options)).toEqual(created);
    const updated = await provider.update(ref("db", providerId), spec("db", { size: "l" }), options);
    expect(updated.outputs).toMatchObject({ size: "l" });
    await provider.delete(ref("db", providerId), options);
    expect(await provider.read(ref("db", providerId), options)).toBeUndefined();
  });

  test("takes a delete of what is gone for done", async () => {
    await expect(provider.delete(ref("never", "was-here"), options)).resolves.toBeUndefined();
  });

  test("marks as secret what the reply marks and what the driver declares, where it is there", async () => {
    const created = await provider.create(spec("secret"), options);
    expect(created.sensitive).toEqual(["password", "secret_too"]);
    expect(host.calls().filter((call) => call === "SensitiveKeys infra.database")).toHaveLength(1);
  });

  test("compares", async () => {
    const current = await provider.create(spec("diffed", { region: "a", size: "s" }), options);
    expect(await provider.diff(spec("diffed", { region: "a" }), current, options)).toEqual({
      needsUpdate: false,
      needsReplace: false,
      changes: [],
    });
    expect(await provider.diff(spec("diffed", { region: "b", new: 1 }), current, options)).toEqual({
      needsUpdate: true,
      needsReplace: true,
      changes: [
        { path: "region", old: "a", new: "b", forceNew: true },
        { path: "new", new: 1, forceNew: false },
      ],
    });
  });

  test.each([
    ["iac: resource already exists: db", 2, "already_exists"],
    ["context: iac: validation error: no", 2, "validation"],
    ["iac: rate limited: slow down", 2, "rate_limited"],
    ["some cloud error: 409 conflict", 2, "unknown"],
    ["bad credentials", 16, "unauthorized"],
  ])("fails create with %j as what it is", async (fail, code, errorClass) => {
    const error = await failureOf(provider.create(spec("fails", { fail, code }), options));
    expect(error).toMatchObject({ class: errorClass, answered: true });
    expect(error.message).toContain(fail);
  });

  test("does not get to print the configuration's secrets", async () => {
    const error = await failureOf(
      provider.create(spec("fails", { fail: "login with a-very-secret-token failed" }), options),
    );
    expect(error.message).toBe("login with (hidden) failed");
  });

  test("fails an update of what is gone", async () => {
    expect(await failureOf(provider.update(ref("gone", "x"), spec("gone"), options))).toMatchObject({
      class: "not_found",
    });
  });

  test.each(["create", "update"] as const)("breaks the contract by a %s without its result", async (operation) => {
    const empty = spec("empty", { empty: true });
    const call =
      operation === "create" ? provider.create(empty, options) : provider.update(ref("empty"), empty, options);
    expect(await failureOf(call)).toMatchObject({ class: "bad_reply" });
  });

  test("breaks the contract by a read without its result: that is not 'absent'", async () => {
    expect(await failureOf(provider.read(ref("empty"), options))).toMatchObject({ class: "bad_reply" });
  });

  test("breaks the contract by outputs that are no JSON", async () => {
    expect(await failureOf(provider.create(spec("odd", { malformed: true }), options))).toMatchObject({
      class: "bad_reply",
    });
  });

  test("may send replies beyond the transport's default limit, not beyond the host's", async () => {
    const large = await provider.create(spec("large", { bytes: 5 * 1024 * 1024 }), options);
    expect(large.outputs["filler"]).toHaveLength(5 * 1024 * 1024);
    const error = await failureOf(provider.create(spec("larger", { bytes: 9 * 1024 * 1024 }), options));
    expect(error).toMatchObject({ class: "bad_reply", answered: false });
  });

  test("refuses a request beyond its limit, having done nothing", async () => {
    const huge = spec("huge", { text: "x".repeat(5 * 1024 * 1024) });
    expect(await failureOf(provider.create(huge, options))).toMatchObject({ class: "validation", answered: true });
  });

  test("is not sent what is no JSON", async () => {
    const before = creates();
    const notJson = spec("odd", { size: Number.NaN });
    expect(await failureOf(provider.create(notJson, options))).toMatchObject({ class: "validation", answered: false });
    expect(await failureOf(provider.update(ref("odd", "x"), notJson, options))).toMatchObject({ class: "validation" });
    expect(creates()).toBe(before);
  });

  test.each([
    "operation error: InvalidVpcID.NotFound: The vpc ID 'vpc-1' does not exist",
    "GET https://example.test/v2/x: 404 The resource you requested could not be found",
    "bucket not found",
    "operation error EC2: DescribeVpcs, https response error StatusCode: 400, RequestID: 5d31c4f0-7a52-4030-9503-2f7429b0a6aa, api error InvalidVpcID.NotFound: The vpc ID 'vpc-0403a' does not exist",
    "operation error S3: HeadBucket, https response error StatusCode: 404, RequestID: 4B403E29AC503F01, HostID: g503+Ab/403=, NotFound: ",
    'GET https://api.example.test/v2/droplets/403: 404 (request "b5034290-1c5d-4a6b-8d3e-0a401f503c77") The resource you were accessing could not be found.',
    "googleapi: Error 404: The resource 'projects/p-403/global/networks/n' was not found, notFound",
  ])("may say %j for an object that is not there", async (text) => {
    expect(await provider.read(ref(`says: ${text}`), options)).toBeUndefined();
  });

  test.each([
    "dial tcp: lookup api.example.test: no such host",
    "failed to get shared config profile, prod, not found",
    "subscription 1234 was not found",
    "certificate not found",
    "rpc failed",
    "403 Forbidden",
    "operation error EC2: DescribeVpcs, https response error StatusCode: 403, RequestID: 5d31c404-7a52-4404-9405-2f7429b0a404, api error UnauthorizedOperation: You are not authorized to perform this operation.",
    "operation error S3: GetBucket, https response error StatusCode: 500, RequestID: 404, api error InternalError: the key does not exist",
    "GET https://api.example.test/v2/404/x: 503 Service Unavailable",
    "quota of 14040 servers is used up",
  ])("is not believed to miss an object when it says %j", async (text) => {
    expect(await failureOf(provider.read(ref(`says: ${text}`), options))).toMatchObject({ class: "unknown" });
  });

  test("is given up at the deadline", async () => {
    const error = await failureOf(provider.create(spec("hangs", { hang: true }), { ...options, timeoutMs: 50 }));
    expect(error.class).toBe("deadline");
  });

  test("is given up when the signal aborts, before and during the call", async () => {
    expect(await failureOf(provider.create(spec("late"), { ...options, signal: AbortSignal.abort() }))).toMatchObject({
      class: "cancelled",
      answered: false,
    });
    const controller = new AbortController();
    const before = creates();
    const call = failureOf(provider.create(spec("hangs", { hang: true }), { ...options, signal: controller.signal }));
    await expect.poll(creates).toBeGreaterThan(before);
    controller.abort();
    expect(await call).toMatchObject({ class: "cancelled", answered: false });
  });

  test("is not asked for sizing where it does not size", async () => {
    expect(await provider.resolveSizing("infra.database", "m", undefined, options)).toBeUndefined();
  });

  test("has nothing to stop", async () => {
    await expect(provider.stop("run-1")).resolves.toBeUndefined();
  });
});

describe("a plugin that advertises what it does not serve", () => {
  test("fails to finalize: that is not 'no finalizer'", async () => {
    const unimplemented = await host.configure("unimplemented");
    expect(unimplemented.features.finalizer).toBe(true);
    expect(await failureOf(unimplemented.finalize("plan-1", options))).toMatchObject({ class: "unsupported" });
  });

  test("is called by single rpcs where it advertises the session", async () => {
    const unimplemented = await host.configure("unimplemented");
    const names = Array.from({ length: 20 }, (_, index) => `db-${index}`);
    const created = await Promise.all(names.map((name) => unimplemented.create(spec(name), options)));
    expect(created.map(({ providerId }) => providerId.replace(/-\d+$/, "")).toSorted()).toEqual(names.toSorted());
    expect(await unimplemented.read(ref("db-3"), options)).toMatchObject({ status: "running" });
    expect(await unimplemented.read(ref("missing"), options)).toBeUndefined();
    await expect(unimplemented.stop("run-1")).resolves.toBeUndefined();
  });
});

describe("our extensions without a session", () => {
  test("travel as metadata and trailers", async () => {
    const ours = await host.configure("rpc-extensions");
    const created = await ours.create(spec("db"), { ...options, clientToken: "token-1", owner: "lineage/größe" });
    expect(created).toMatchObject({
      created: true,
      inputs: { a: 1 },
      owner: "lineage/thing",
      revisitAt: "2027-01-15T08:00:00.000Z",
      outputs: { "wfctl-client-token": "token-1", "wfctl-run": "run-1" },
    });
  });

  test("tell what a failed call had made, and when to come back", async () => {
    const ours = await host.configure("rpc-extensions");
    const error = await failureOf(ours.create(spec("fails"), { ...options, clientToken: "token-1" }));
    expect(error).toMatchObject({
      class: "transient",
      answered: true,
      retryAfterMs: 1500,
      partial: { providerId: "half-made", outputs: { arn: "x" } },
    });
  });

  test("report progress beside the call", async () => {
    const ours = await host.configure("rpc-extensions");
    const reported = Promise.withResolvers<unknown>();
    const controller = new AbortController();
    const call = failureOf(
      ours.create(spec("hangs"), {
        ...options,
        clientToken: "token-2",
        signal: controller.signal,
        onProgress: reported.resolve,
      }),
    );
    expect(await reported.promise).toEqual({ message: "waiting", waiting: true });
    controller.abort();
    expect(await call).toMatchObject({ class: "cancelled" });
  });

  test("leave no room for guesses", async () => {
    const ours = await host.configure("rpc-extensions");
    expect(await failureOf(ours.read(ref("db"), options))).toMatchObject({ class: "unknown" });
  });
});
