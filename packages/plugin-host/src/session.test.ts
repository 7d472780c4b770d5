import { promisify } from "node:util";

import * as grpc from "@grpc/grpc-js";
import { ext } from "@wfctl/contract";
import { afterAll, beforeAll, describe, expect, test } from "vitest";

import { createFixtureHost, failureOf, options, ref, spec, type FixtureHost } from "../testdata/host.ts";
import { serveSession } from "../testdata/lib/session.ts";
import type { PluginProvider } from "./options.ts";
import { createDriverSession } from "./session.ts";

let host: FixtureHost;
let provider: PluginProvider;
beforeAll(async () => {
  host = createFixtureHost();
  provider = await host.configure("session");
});
afterAll(() => host[Symbol.asyncDispose]());

const ours = { ...options, clientToken: "token-1", owner: "lineage/db" };
const count = (text: string) => host.calls().filter((call) => call.startsWith(text)).length;

describe("a plugin with our extensions", () => {
  test("says who it is and what it can", () => {
    expect(provider).toMatchObject({
      identity: "fixture:1:here",
      identityLabels: { account: "1", region: "here" },
      schemaDigest: "digest-1",
      resourceTypes: ["infra.database"],
      configSchema: { type: "object" },
      features: {
        drivers: true,
        finalizer: true,
        clientTokens: true,
        lookup: true,
        stop: true,
        ownLimits: true,
        readsInputs: true,
      },
    });
    expect(provider.traits("infra.database")).toEqual({
      createFirst: true,
      convergentCreate: true,
      lookup: true,
      reversibleUpdate: false,
      writeOnly: ["seed"],
      sensitiveInputs: ["password"],
      sensitiveOutputs: ["endpoint", "not_there"],
      forceNew: ["region"],
      settleMs: 1000,
      timeouts: { create: 5000 },
      typicalMs: { create: 700 },
      schema: { type: "object", title: "in" },
      outputs: { type: "object", title: "out" },
    });
    expect(provider.traits("infra.other")).toBeUndefined();
  });

  test("creates, reads, updates, compares, finds and deletes over the session", async () => {
    const created = await provider.create(spec("db", { size: "s", password: "p" }), ours);
    expect(created).toMatchObject({
      name: "db",
      type: "infra.database",
      outputs: { size: "s", password: "p" },
      sensitive: ["endpoint", "password"],
      created: true,
      inputs: { size: "s", password: "p" },
      owner: "lineage/thing",
      revisitAt: "2027-01-15T08:00:00.000Z",
    });
    const { providerId } = created;
    expect(await provider.create(spec("db"), ours)).toMatchObject({ providerId, created: false });
    expect(await provider.lookup("infra.database", "token-1", "db", options)).toMatchObject({ providerId });
    expect(await provider.lookup("infra.database", "token-unknown", "db", options)).toBeUndefined();
    const { created: _, ...read } = created;
    expect(await provider.read(ref("db", providerId), options)).toEqual(read);
    const updated = await provider.update(ref("db", providerId), spec("db", { size: "l" }), ours);
    expect(updated).toMatchObject({ providerId, outputs: { size: "l" } });
    expect(await provider.diff(spec("db"), updated, options)).toEqual({
      needsUpdate: true,
      needsReplace: false,
      changes: [{ path: "size", new: ["l"], forceNew: false }],
    });
    await provider.delete(ref("db", providerId), ours);
    expect(await provider.read(ref("db", providerId), options)).toBeUndefined();
    await expect(provider.delete(ref("db", providerId), ours)).resolves.toBeUndefined();
    expect(host.calls()).toContain('request ["create","run-1","token-1","lineage/db"]');
    expect(count("session")).toBe(1);
  });

  test("receives what is asked in one turn as one message, and may answer in any order", async () => {
    const before = count("batch 50");
    const names = Array.from({ length: 50 }, (_, index) => `many-${index}`);
    const created = await Promise.all(
      names.map((name) => provider.create(spec(name), { ...options, clientToken: name })),
    );
    expect(created.map(({ name }) => name)).toEqual(names);
    expect(count("batch 50")).toBe(before + 1);
  });

  test("fails as the single rpc would", async () => {
    const error = await failureOf(
      provider.create(spec("fails", { fail: "iac: transient error: 503", code: 14 }), ours),
    );
    expect(error).toMatchObject({
      class: "transient",
      answered: true,
      message: "iac: transient error: 503",
      retryAfterMs: 1500,
      partial: { providerId: "half-made", outputs: { arn: "x" } },
    });
    expect(await failureOf(provider.update(ref("gone", "x"), spec("gone"), ours))).toMatchObject({
      class: "not_found",
    });
    expect(await failureOf(provider.create(spec("empty", { empty: true }), ours))).toMatchObject({
      class: "bad_reply",
    });
    expect(await failureOf(provider.update(ref("empty", "x"), spec("empty", { empty: true }), ours))).toMatchObject({
      class: "bad_reply",
    });
  });

  test("reports progress", async () => {
    const reports: unknown[] = [];
    await provider.create(spec("slow", { progress: true }), {
      ...ours,
      clientToken: "slow",
      onProgress: (report) => reports.push(report),
    });
    expect(reports).toHaveLength(2);
    expect(reports).toContainEqual({ message: "waiting for the cloud", waiting: true });
    expect(reports).toContainEqual({ message: "waiting for its turn", waiting: true, limited: true });
  });

  test("is told when a call is given up, by deadline or signal", async () => {
    const before = count("cancel");
    expect(await failureOf(provider.create(spec("hangs", { hang: true }), { ...ours, timeoutMs: 1000 }))).toMatchObject(
      {
        class: "deadline",
        answered: false,
      },
    );
    await expect.poll(() => count("cancel")).toBe(before + 1);
    const controller = new AbortController();
    const requests = count("request");
    const call = failureOf(provider.create(spec("hangs", { hang: true }), { ...ours, signal: controller.signal }));
    await expect.poll(() => count("request")).toBe(requests + 1);
    controller.abort();
    expect(await call).toMatchObject({ class: "cancelled", answered: false });
    await expect.poll(() => count("cancel")).toBe(before + 2);
  });

  test("is told of another priority while the call is open, and no longer", async () => {
    const controller = new AbortController();
    let change: ((priority: number) => void) | undefined;
    const watchPriority = (changed: (priority: number) => void) => {
      change = changed;
      return () => {
        change = undefined;
      };
    };
    const requests = count("request");
    const call = failureOf(
      provider.create(spec("hangs", { hang: true }), { ...ours, signal: controller.signal, watchPriority }),
    );
    await expect.poll(() => count("request")).toBe(requests + 1);
    change?.(41);
    change?.(42);
    await expect.poll(() => count("priority 42")).toBe(1);
    expect(count("priority 41")).toBe(0);
    controller.abort();
    expect(await call).toMatchObject({ class: "cancelled" });
    expect(change).toBeUndefined();
  });

  test("is not sent what was given up before it left", async () => {
    const controller = new AbortController();
    const requests = count("request");
    const call = failureOf(provider.create(spec("never"), { ...ours, signal: controller.signal }));
    const other = provider.create(spec("sent"), { ...ours, clientToken: "sent" });
    controller.abort();
    expect(await call).toMatchObject({ class: "cancelled" });
    await other;
    expect(count("request")).toBe(requests + 1);
  });

  test("is not sent what is no JSON, nor what is late already", async () => {
    const notJson = spec("odd", { size: Number.NaN });
    expect(await failureOf(provider.create(notJson, ours))).toMatchObject({ class: "validation", answered: false });
    const late = { ...ours, timeoutMs: 0 };
    expect(await failureOf(provider.create(spec("late"), late))).toMatchObject({ class: "deadline", answered: false });
  });

  test("loses the answers when it ends the stream, and goes on with a new one", async () => {
    const sessions = count("session");
    const hanging = failureOf(provider.create(spec("hangs", { hang: true }), ours));
    const ending = failureOf(provider.create(spec("ends", { endSession: true }), ours));
    expect(await hanging).toMatchObject({ class: "bad_reply", answered: false });
    expect(await ending).toMatchObject({ class: "bad_reply", answered: false });
    expect(await provider.create(spec("after"), { ...ours, clientToken: "after" })).toMatchObject({ created: true });
    expect(count("session")).toBe(sessions + 1);
  });

  test("never makes the stream's failure look like a refusal of its calls", async () => {
    const error = await failureOf(provider.create(spec("breaks", { breakSession: true }), ours));
    expect(error).toMatchObject({ answered: false, definite: false });
  });

  test("sizes, finalizes and stops", async () => {
    expect(await provider.resolveSizing("infra.database", "m", { cpu: "2" }, options)).toEqual({
      instanceType: "db-1",
      specs: { size: "m", resourceType: "infra.database", cpu: "2" },
    });
    expect(await provider.resolveSizing("infra.database", "none", undefined, options)).toBeUndefined();
    expect(await provider.finalize("good", options)).toEqual([]);
    expect(await provider.finalize("bad", options)).toEqual([
      { resource: "infra.dns", action: "deferred_update", error: "no" },
    ]);
    await provider.stop("run-7");
    expect(host.calls()).toContain("Stop run-7");
  });
});

test("a request that cannot be encoded does not take along those of its message", async () => {
  const server = new grpc.Server();
  serveSession(server);
  const port = await promisify(server.bindAsync.bind(server))("127.0.0.1:0", grpc.ServerCredentials.createInsecure());
  const client = new grpc.Client(`127.0.0.1:${port}`, grpc.credentials.createInsecure());
  try {
    const session = createDriverSession(client);
    const request = { operation: ext.DriverOperation.READ, resourceType: "infra.database", name: "db" };
    const broken = failureOf(session.call("Read", { ...request, configJson: "no bytes" as never }, options));
    const fine = session.call("Read", request, options);
    expect(await broken).toMatchObject({ class: "validation", answered: false });
    expect(await fine).toMatchObject({ absent: true });
  } finally {
    client.close();
    server.forceShutdown();
  }
});
