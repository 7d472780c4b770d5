import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { ProviderError, type JsonObject } from "@wfctl/model";
import { createPluginProvider, type PluginProvider } from "@wfctl/plugin-host";
import { generateManifest } from "@wfctl/plugin-sdk";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { createCloudProvider } from "./cloud-provider.ts";
import { hasReached, openDiskCloud, releaseHold, testPluginDir, writeFaults, type PluginFault } from "./index.ts";

let root: string;
let started: PluginProvider[];
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), "cloud-plugin-"));
  started = [];
});
afterEach(async () => {
  await Promise.all(started.map((provider) => provider.shutdown()));
  rmSync(root, { recursive: true, force: true });
});

async function start(name: string, config: JsonObject = { root }): Promise<PluginProvider> {
  const provider = await createPluginProvider({
    pluginDir: testPluginDir,
    module: "module",
    provider: name,
    config: { provider: name, ...config },
  });
  started.push(provider);
  return provider;
}

const call = { run: "run-1", timeoutMs: 120_000 };
const spec = (name: string, config: JsonObject = {}, type = "test.item") => ({ name, type, config, dependsOn: [] });
const failureOf = async (work: Promise<unknown>): Promise<ProviderError> => {
  const thrown: unknown = await work.then(
    () => undefined,
    (error: unknown) => error,
  );
  if (thrown instanceof ProviderError) return thrown;
  throw new Error("Nothing failed", { cause: thrown });
};
const until = async (condition: () => boolean): Promise<void> => {
  for (const from = performance.now(); !condition(); await sleep(2)) {
    if (performance.now() - from > 60_000) throw new Error("It did not happen in time");
  }
};

describe.each(["cloud", "upstreamlike"])("%s", (name) => {
  test("keeps its objects in the folder beyond its process", async () => {
    const first = await start(name);
    const made = await first.create(spec("a", { value: 1, region: "eu" }), call);
    expect(made.outputs).toMatchObject({ value: 1, region: "eu", revision: 1 });
    await first.shutdown();
    const second = await start(name);
    const read = await second.read({ name: "a", type: "test.item", providerId: made.providerId }, call);
    expect(read).toMatchObject({ providerId: made.providerId, outputs: { value: 1, revision: 1 } });
    const ref = { name: "a", type: "test.item", providerId: made.providerId };
    expect((await second.diff(spec("a", { value: 1, region: "us" }), read!, call)).needsReplace).toBe(true);
    expect((await second.diff(spec("a", { value: 1, region: "eu" }), read!, call)).needsUpdate).toBe(false);
    expect((await second.update(ref, spec("a", { value: 2, region: "eu" }), call)).outputs).toMatchObject({
      value: 2,
      revision: 2,
    });
    await second.delete(ref, call);
    expect(await second.read(ref, call)).toBeUndefined();
    expect(
      openDiskCloud(root)
        .effects()
        .map((effect) => effect.kind),
    ).toEqual(["created", "updated", "deleted"]);
  });

  test.each([
    [{ error: "forbidden" }, "forbidden", true, 0],
    [{ error: "transient", loseReply: true }, "transient", true, 1],
    [{ loseReply: true }, "unknown", true, 1],
    [{ crash: "before" }, "plugin_exit", false, 0],
    [{ crash: "after" }, "plugin_exit", false, 1],
  ] as [Partial<PluginFault>, string, boolean, number][])(
    "a fault script %j makes the first create end as %s (answered: %s) with %i objects",
    async (fault, errorClass, answered, objects) => {
      const provider = await start(name);
      writeFaults(root, [{ operation: "create", name: "a", nth: 1, ...fault }]);
      const failure = await failureOf(provider.create(spec("a"), { ...call, clientToken: "t" }));
      expect([failure.class, failure.answered]).toEqual([errorClass, answered]);
      expect(openDiskCloud(root).objects()).toHaveLength(objects);
      expect((await provider.create(spec("a"), { ...call, clientToken: "t" })).providerId).not.toBe("");
    },
  );

  test("an effect that was under way happens after the process has died", async () => {
    const provider = await start(name);
    const cloud = openDiskCloud(root);
    writeFaults(root, [{ operation: "create", lateMs: 150, crash: "after" }]);
    expect((await failureOf(provider.create(spec("a"), call))).class).toBe("plugin_exit");
    await until(() => cloud.objects().length === 1);
    // Who looks after its time brings it about, so it was not the plugin.
    expect(cloud.effects()).toMatchObject([{ kind: "created", name: "a", pid: process.pid }]);
  });

  test("a held call waits until it is told to go on", async () => {
    const provider = await start(name);
    writeFaults(root, [{ operation: "create", holdAfter: "here" }]);
    let ended = false;
    const created = provider.create(spec("a"), call).then((live) => {
      ended = true;
      return live;
    });
    await until(() => hasReached(root, "here"));
    expect([ended, openDiskCloud(root).objects().length]).toEqual([false, 1]);
    releaseHold(root, "here");
    expect((await created).providerId).toBe("test-1");
  });
});

test("cloud honours client tokens, finds by them, and tells what it made", async () => {
  const provider = await start("cloud");
  expect(provider.features).toMatchObject({
    clientTokens: true,
    lookup: true,
    stop: true,
    readsInputs: true,
    finalizer: false,
  });
  const first = await provider.create(spec("a"), { ...call, clientToken: "t", owner: "lineage/a" });
  const again = await provider.create(spec("a"), { ...call, clientToken: "t", owner: "lineage/a" });
  expect([first.created, again.created]).toEqual([true, false]);
  expect(again.providerId).toBe(first.providerId);
  const found = await provider.lookup("test.item", "t", "a", call);
  expect(found).toMatchObject({ providerId: first.providerId, owner: "lineage/a" });
  expect(await provider.lookup("test.item", "other", "a", call)).toBeUndefined();
});

test("upstreamlike has none of our services and spoils answers on demand", async () => {
  const provider = await start("upstreamlike");
  expect(provider.features).toMatchObject({
    clientTokens: false,
    lookup: false,
    stop: false,
    readsInputs: false,
    ownLimits: false,
  });
  expect([provider.identity, provider.traits("test.item")]).toEqual([undefined, {}]);
  writeFaults(root, [
    { operation: "create", name: "a", reply: "no-id" },
    { operation: "create", name: "b", reply: "wrong-name" },
    { operation: "create", name: "c", reply: "number-as-secret" },
  ]);
  expect((await provider.create(spec("a"), call)).providerId).toBe("");
  expect((await provider.create(spec("b"), call)).name).toBe("b-other");
  expect((await provider.create(spec("c"), call)).outputs).toMatchObject({ password: 12_345_678 });
});

test("Stop ends the wait of a create, which tells what it has made", async () => {
  const provider = await start("cloud");
  writeFaults(root, [{ operation: "create", afterMs: 600_000 }]);
  const waiting = Promise.withResolvers<void>();
  const failure = failureOf(
    provider.create(spec("a"), { ...call, onProgress: (progress) => progress.waiting && waiting.resolve() }),
  );
  await waiting.promise;
  await provider.stop("run-1");
  expect(await failure).toMatchObject({ class: "cancelled", partial: { providerId: "test-1" } });
});

test("finalizers do deferred work: ours from the cloud, upstream's from memory that a crash loses", async () => {
  for (const name of ["cloud-finalizer", "upstreamlike-finalizer"]) {
    const home = join(root, name);
    const provider = await start(name, { root: home });
    expect(provider.features.finalizer).toBe(true);
    await provider.create(spec("a", {}, "test.deferred"), call);
    writeFaults(home, [{ operation: "create", name: "b", crash: "before" }]);
    expect((await failureOf(provider.create(spec("b", {}, "test.deferred"), call))).class).toBe("plugin_exit");
    expect(await provider.finalize("plan-1", call)).toEqual([]);
    expect(openDiskCloud(home).objects()[0]?.finalized).toBe(name === "cloud-finalizer");
  }
});

test("without a folder everything is in memory, and objects of earlier processes are taken on trust", async () => {
  const provider = await start("cloud", {});
  const made = await provider.create(spec("a", { value: "x" }), call);
  expect(await provider.read({ name: "a", type: "test.item", providerId: made.providerId }, call)).toMatchObject({
    outputs: { value: "x" },
  });
  const other = { name: "b", type: "test.item", providerId: "test-of-another-process-1" };
  const stranger = await provider.read(other, call);
  expect(stranger).toMatchObject({ providerId: other.providerId, outputs: {} });
  expect(stranger?.inputs).toBeUndefined();
  await provider.delete(other, call);
});

test.each([
  ["cloud", false],
  ["cloud-finalizer", true],
])("plugin.json of %s is what its definition generates", async (name, finalizer) => {
  const written: unknown = JSON.parse(readFileSync(join(testPluginDir, name, "plugin.json"), "utf8"));
  expect(written).toEqual(JSON.parse(JSON.stringify(await generateManifest(createCloudProvider({ name, finalizer })))));
});
