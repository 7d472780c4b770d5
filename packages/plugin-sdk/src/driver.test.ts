import { join } from "node:path";
import * as grpc from "@grpc/grpc-js";
import { ext, openBidiCall, unaryCall } from "@wfctl/contract";
import { describe, expect, test } from "vitest";
import { driveSession, driveUnary, failureOf, valueOf, type Driver, type Meta } from "./testdata/drive.ts";
import { startConfigured } from "./testdata/start-plugin.ts";

const file = join(import.meta.dirname, "testdata/notes.ts");
const { status } = grpc;

const ways: readonly [string, (client: grpc.Client, own?: Meta) => Driver][] = [
  ["rpcs of their own", driveUnary],
  ["a session", driveSession],
];

describe.each(ways)("driver calls by %s", (way, drive) => {
  const start = async () => {
    const started = await startConfigured(file, { account: "a" });
    return { ...started, driver: drive(started.client) };
  };

  test("an object is created, read, updated, looked up and deleted", async () => {
    const { driver } = await start();
    const meta = { clientToken: "token-1", owner: "stack/näme" };
    const made = valueOf(await driver.create("n", { text: "hello", secret: "s3cr3t-value" }, meta));
    expect(made).toMatchObject({
      name: "n",
      type: "test.note",
      providerId: "id-n",
      outputs: { text: "hello", secret: "s3cr3t-value" },
      sensitive: ["secret"],
      status: "running",
      created: true,
      owner: "stack/näme",
      revisitAt: "2030-01-01T00:00:00.000Z",
    });
    const read = valueOf(await driver.read("n", "id-n"));
    expect(read?.inputs).toEqual({ text: "hello", shelf: "main" });
    expect(read?.created).toBeUndefined();
    expect(valueOf(await driver.lookup("token-1"))?.providerId).toBe("id-n");
    expect(valueOf(await driver.lookup("token-2"))).toBeNull();
    const updated = valueOf(await driver.update("n", "id-n", { text: "bye" }));
    expect(updated.outputs["text"]).toBe("bye");
    valueOf(await driver.delete("id-n"));
    valueOf(await driver.delete("id-n"));
  });

  test("what is not there: absent or NOT_FOUND on read, NOT_FOUND on update", async () => {
    const { driver } = await start();
    const read = await driver.read("n", "id-n");
    if (way === "a session") expect(valueOf(read)).toBeNull();
    else expect(failureOf(read)).toMatchObject({ code: status.NOT_FOUND, message: /^iac: resource not found: / });
    expect(failureOf(await driver.update("n", "id-n", { text: "t" }))).toMatchObject({
      code: status.NOT_FOUND,
      message: "iac: resource not found: note id-n",
    });
  });

  test("a ref without an id is found by its name", async () => {
    const { driver } = await start();
    valueOf(await driver.create("n", { text: "t" }));
    expect(valueOf(await driver.read("n", ""))?.providerId).toBe("id-n");
  });

  test("a create repeated with its token gives the same object, marked as found", async () => {
    const { driver } = await start();
    valueOf(await driver.create("n", { text: "t" }, { clientToken: "k" }));
    expect(valueOf(await driver.create("n", { text: "t" }, { clientToken: "k" }))).toMatchObject({
      providerId: "id-n",
      created: false,
    });
    expect(failureOf(await driver.create("n", { text: "t" }, { clientToken: "other" }))).toMatchObject({
      code: status.ALREADY_EXISTS,
      message: "iac: resource already exists: Note n is there already",
    });
  });

  test.each([
    ["validation", status.INVALID_ARGUMENT, "iac: validation error: as asked"],
    ["unauthorized", status.UNAUTHENTICATED, "iac: unauthorized: as asked"],
    ["forbidden", status.PERMISSION_DENIED, "iac: forbidden: as asked"],
    ["image_missing", status.FAILED_PRECONDITION, "iac: image tag or digest not found in registry: as asked"],
    ["already_exists", status.ALREADY_EXISTS, "iac: resource already exists: as asked"],
    ["not_found", status.NOT_FOUND, "iac: resource not found: as asked"],
    ["unsupported", status.UNIMPLEMENTED, "as asked"],
    ["rate_limited", status.RESOURCE_EXHAUSTED, "iac: rate limited: as asked"],
    ["transient", status.UNAVAILABLE, "iac: transient error: service unavailable: as asked"],
    ["unknown", status.UNKNOWN, "as asked"],
    ["deadline", status.DEADLINE_EXCEEDED, "as asked"],
    ["cancelled", status.CANCELLED, "as asked"],
    ["crash", status.UNKNOWN, "boom"],
  ])("a failure of class %s has its code and its words", async (fail, code, message) => {
    const { driver } = await start();
    expect(failureOf(await driver.create("n", { text: "t", fail }))).toMatchObject({ code, message });
  });

  test("the time for a retry and what was made travel with the failure", async () => {
    const { driver } = await start();
    const failure = failureOf(await driver.create("n", { text: "t", fail: "rate_limited:1500", partial: true }));
    expect(failure).toMatchObject({
      retryAfterMs: 1500,
      partial: { providerId: "half-n", outputs: { text: "t" } },
    });
    expect(failureOf(await driver.create("n", { text: "t", fail: "transient" })).partial).toBeUndefined();
  });

  test("outputs that are no object are a bad result, which loses neither the object nor a secret", async () => {
    const { driver } = await start();
    const input = { text: "t", secret: "s3cr3t-value", fail: "outputs" };
    const refused = {
      code: status.UNKNOWN,
      message: `The driver of test.note "n" answered with a bad result: "outputs" is a list and must be an object: a defect of the provider`,
      partial: { providerId: "id-n", outputs: {} },
    };
    expect(failureOf(await driver.create("n", input))).toMatchObject(refused);
    expect(valueOf(await driver.read("n", "id-n"))?.outputs).toMatchObject({ text: "t" });
    expect(failureOf(await driver.update("n", "id-n", input))).toMatchObject(refused);
    expect(valueOf(await driver.update("n", "id-n", { text: "u" })).outputs).toMatchObject({ text: "u" });
  });

  test("an input that breaks the schema is refused with every violation and its path", async () => {
    const { driver } = await start();
    const config = { text: 1, copies: 0, labels: { a: true }, txt: "x" };
    const failure = failureOf(await driver.create("n", config));
    expect(failure.code).toBe(status.INVALID_ARGUMENT);
    expect(failure.message).toMatch(/^iac: validation error: test.note "n": /);
    for (const part of [
      "text: expected string",
      "copies: ",
      "labels.a: expected string",
      'txt: unknown key, did you mean "text"',
    ]) {
      expect(failure.message).toContain(part);
    }
    expect(failureOf(await driver.diff(config, {})).message).toContain("labels.a");
  });

  test("keys that the host leaves in the configuration for itself are no violations", async () => {
    const { driver } = await start();
    const reserved = {
      provider: "p",
      iac_provider: "p",
      size: "s",
      depends_on: ["x"],
      protected: true,
      region: "r",
      instance_type: "tiny",
    };
    const made = await driver.create("n", { text: "t", adopt_existing: false, name: "n", ...reserved });
    expect(valueOf(made).inputs).toEqual({ text: "t", shelf: "main" });
  });

  test("no type and an unknown type are told apart from a missing object", async () => {
    const { driver } = await start();
    const config = { text: "t" };
    expect(failureOf(await driver.create("n", config, { type: "" }))).toMatchObject({ code: status.INVALID_ARGUMENT });
    const unknown = failureOf(await driver.create("n", config, { type: "test.nothing" }));
    expect(unknown.code).toBe(status.NOT_FOUND);
    expect(unknown.message).toContain("unsupported resource type");
    expect(unknown.message).not.toContain("iac: resource not found");
  });

  test("a driver that answers nothing at all fails the call, not the process", async () => {
    const { driver } = await start();
    expect(failureOf(await driver.create("n", { text: "t", fail: "type" })).code).toBe(status.UNKNOWN);
    valueOf(await driver.create("n", { text: "t" }));
  });

  test("more than four mebibytes go in and come out", async () => {
    const { driver } = await start();
    const text = "x".repeat(6 * 1024 * 1024);
    expect(valueOf(await driver.create("n", { text })).outputs["text"]).toBe(text);
  });

  test("Stop ends the waiting: the answer says what is there", async () => {
    const { driver, client } = await start();
    const waiting = Promise.withResolvers<string>();
    const stream = client.makeServerStreamRequest(
      "/wfctl.ext.v1.RunControl/WatchProgress",
      () => Buffer.alloc(0),
      (bytes) => bytes.toString("latin1"),
      {},
    );
    stream.on("data", (text: string) => waiting.resolve(text));
    stream.on("error", () => {});
    await unaryCall(client, ext.ProviderIdentity.method.getIdentity, {});
    const call = driver.create(
      "n",
      { text: "t", fail: "wait" },
      { run: "run-1", clientToken: "k", onProgress: (message, isWaiting) => isWaiting && waiting.resolve(message) },
    );
    expect(await waiting.promise).toContain("Waiting for note n to dry");
    await unaryCall(client, ext.RunControl.method.stop, { run: "other" });
    await unaryCall(client, ext.RunControl.method.stop, { run: "run-1" });
    expect(failureOf(await call)).toMatchObject({
      code: status.CANCELLED,
      partial: { providerId: "half-n" },
      message: expect.stringContaining("The run was stopped"),
    });
    const late = await driver.create("m", { text: "t", fail: "wait" }, { run: "run-1" });
    expect(failureOf(late).code).toBe(status.CANCELLED);
    stream.cancel();
  });

  test("a deadline ends a handler in time for what was made to arrive", async () => {
    const { driver } = await start();
    // A machine that is busy right then lets the answer come too late: then once more, with more time.
    let failure: unknown;
    for (const timeoutMs of [1500, 6000, 20_000]) {
      failure = failureOf(await driver.create("n", { text: "t", fail: "wait" }, { timeoutMs }));
      if ((failure as { partial?: unknown }).partial !== undefined) break;
    }
    expect(failure).toMatchObject({ code: status.DEADLINE_EXCEEDED, partial: { providerId: "half-n" } });
  });

  test("a cancelled call ends, and the next one is served", async () => {
    const { driver } = await start();
    const abort = new AbortController();
    const call = driver.create("n", { text: "t", fail: "deaf" }, { signal: abort.signal });
    valueOf(await driver.create("m", { text: "t" }));
    abort.abort();
    expect(failureOf(await call).code).toBe(status.CANCELLED);
    valueOf(await driver.create("n", { text: "t" }));
  });

  test("a diff right after create is quiet; changes are told with their path and their weight", async () => {
    const { driver } = await start();
    const config = { text: "t", labels: { a: "1" }, provider: "p" };
    const made = valueOf(await driver.create("n", config));
    const current = { outputs: made.outputs, inputs: made.inputs! };
    expect(valueOf(await driver.diff(config, current))).toEqual({
      needsUpdate: false,
      needsReplace: false,
      changes: [],
    });
    const changed = valueOf(await driver.diff({ ...config, text: "u" }, current));
    expect(changed).toMatchObject({ needsUpdate: true, needsReplace: false });
    expect(changed.changes).toEqual([{ path: "text", old: "t", new: "u", forceNew: false }]);
  });
});

describe("driver calls of hosts that know nothing of our extensions", () => {
  test("get no trailers, and outputs that their diff finds everything in", async () => {
    const { client } = await startConfigured(file, { account: "a" });
    const driver = driveUnary(client, {});
    const config = { text: "t", secret: "s3cr3t-value", shelf: "left", labels: { a: "1" } };
    const made = valueOf(await driver.create("n", config));
    expect(made.created).toBeUndefined();
    expect(made.inputs).toBeUndefined();
    expect(JSON.stringify(made.outputs["applied_config"])).not.toContain("s3cr3t-value");
    // Hosts put placeholders where secrets were, and send no marks.
    const recorded = { ...made.outputs, secret: "secret_ref://n__secret" };
    const quiet = valueOf(await driver.diff(config, { outputs: recorded }));
    expect(quiet.changes).toEqual([]);
    const moved = valueOf(await driver.diff({ ...config, shelf: "right" }, { outputs: recorded }));
    expect(moved).toMatchObject({ needsReplace: true, changes: [{ path: "shelf", old: "left", new: "right" }] });
    const secret = valueOf(await driver.diff({ ...config, secret: "another-secret" }, { outputs: recorded }));
    expect(secret).toMatchObject({ needsUpdate: true, changes: [{ path: "secret", new: "(sensitive)" }] });
    const read = valueOf(await driver.read("n", "id-n"));
    expect(valueOf(await driver.diff(config, { outputs: read!.outputs })).changes).toEqual([]);
  });
});

describe("a session", () => {
  test("puts the answers of one tick into one message", async () => {
    const { client } = await startConfigured(file, { account: "a" });
    const session = driveSession(client);
    const names = Array.from({ length: 50 }, (_, index) => `n${index}`);
    const answers = await session.createAll(names, { text: "t" });
    expect(answers.map(({ name }) => name)).toEqual(names);
    expect(new Set(answers.map(({ message }) => message)).size).toBe(1);
  });

  test("answers what is open when the host closes its side, then ends", async () => {
    const { client } = await startConfigured(file, { account: "a" });
    const session = driveSession(client);
    const call = session.create("n", { text: "t", fail: "limited" });
    await session.end();
    expect(valueOf(await call).providerId).toBe("id-n");
  });

  test("tells of a wait for the provider's own rate limit, and that it is over", async () => {
    const { client } = await startConfigured(file, { account: "a" });
    const session = driveSession(client);
    const reports: [string, boolean, boolean][] = [];
    await session.create("n", { text: "t", fail: "limited" }, { onProgress: (...report) => reports.push(report) });
    expect(reports[0]).toEqual(["Waiting for the rate limit of slow", true, true]);
    expect(reports[1]).toEqual(["Calling slow", false, false]);
  });

  test("lets a call that waits for the rate limit go by the priority that the host has given it last", async () => {
    const { client } = await startConfigured(file, { account: "a" });
    const { replies, send } = openBidiCall(client, ext.DriverSession.method.run);
    const operation = ext.DriverOperation.CREATE;
    const configJson = Buffer.from(JSON.stringify({ text: "t", fail: "limited" }));
    const request = (id: bigint, priority: number) => ({
      id,
      operation,
      resourceType: "test.note",
      name: `n${id}`,
      configJson,
      priority,
    });
    await send({
      requests: [request(1n, 3), request(2n, 2), request(3n, 1)],
      priorities: [
        { id: 3n, priority: 4 },
        { id: 99n, priority: 5 },
      ],
    });
    const order: bigint[] = [];
    for await (const message of replies) {
      order.push(...message.replies.filter(({ object }) => object !== undefined).map(({ id }) => id));
      if (order.length === 3) break;
    }
    expect(order.indexOf(3n)).toBeLessThan(order.indexOf(2n));
  });

  test("refuses an operation that it does not know", async () => {
    const { client } = await startConfigured(file, { account: "a" });
    const { replies, send } = openBidiCall(client, ext.DriverSession.method.run);
    await send({ requests: [{ id: 7n, resourceType: "test.note", operation: 99 as ext.DriverOperation }] });
    const { value } = await replies.next();
    expect(value?.replies[0]).toMatchObject({ id: 7n, code: status.INVALID_ARGUMENT });
    await replies.return();
  });
});
