import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { derivedSecretName } from "@wfctl/contract";
import { createSecretRouter, openSecretStore, type SecretRouter } from "@wfctl/secrets";
import type { ResourceRecord } from "@wfctl/model";
import {
  createFakeProvider,
  createTestStack,
  ref,
  scriptFaults,
  wanted,
  writeFaults,
  type FakeProvider,
} from "@wfctl/testkit";
import { expect, onTestFinished, test } from "vitest";
import { createSandbox, type Running, type Sandbox } from "./lib/sandbox.ts";
import { waitUntil } from "./lib/wait-until.ts";

const database = "\n  - {name: db, type: infra.secret, config: {region: a}}\n";
const routed = "secrets: {provider: file, config: {path: ./store}}\n";
const secretName = derivedSecretName("db", "password");

/** An apply that is killed while the create of `db` is done and its answer waits. */
async function killAfterCreate(box: Sandbox): Promise<void> {
  writeFaults(box.root, [{ operation: "create", name: "db", nth: 1, holdAfter: "made" }]);
  await kill(box.start("apply", "-y"), "the object is made", () => existsSync(join(box.root, "reached/made")));
  writeFaults(box.root, []);
}

async function kill(running: Running, when: string, holds: () => boolean): Promise<void> {
  await waitUntil(when, holds);
  running.process.kill("SIGKILL");
  await running.finished;
}

test("the secret of an object whose create was in flight at a kill is stored by the next command", async () => {
  const box = createSandbox();
  box.write(database, { extra: routed });
  await killAfterCreate(box);
  expect(existsSync(box.path("store"))).toBe(false);
  const next = await box.run("apply", "-y");
  expect(next).toMatchObject({ code: 0 });
  expect(readFileSync(box.path("store", secretName), "utf8")).toBe(`password-of-${box.cloud.objects()[0]?.id}`);
  expect(next.stdout + next.stderr + box.everything().replace(/password-of-\S+/, "")).not.toContain("password-of-");
});

test("a recovery that cannot store the secret says so, and the next plan makes the object again", async () => {
  const box = createSandbox();
  box.write(database, { extra: routed });
  await killAfterCreate(box);
  const [first] = box.cloud.objects();
  writeFileSync(box.path("store"), "in the way");
  const refused = await box.run("state", "compact");
  expect(refused.stdout + refused.stderr).toContain("create db");
  const shown = await box.run("state", "show", "db", "--json");
  expect(shown.stdout).toContain("tainted");
  expect(shown.stdout).toContain("a hook after its create failed");
  rmSync(box.path("store"));
  expect(await box.run("apply", "-y", "--allow-replace", "db")).toMatchObject({ code: 0 });
  const [second, ...more] = box.cloud.objects();
  expect(more).toEqual([]);
  expect(second?.id).not.toBe(first?.id);
  expect(readFileSync(box.path("store", secretName), "utf8")).toBe(`password-of-${second?.id}`);
});

test("a kill while the secret store is being asked: the secret is there after the next command", async () => {
  const held = new Map<string, string>();
  let answers = false;
  let asked = 0;
  const server = createServer((request, response) => {
    let body = "";
    request.on("data", (chunk: Buffer) => (body += chunk.toString()));
    request.on("end", () => {
      asked += 1;
      if (!answers) return;
      const name = (request.url ?? "").split("/").at(-1) ?? "";
      if (request.method === "POST") held.set(name, (JSON.parse(body) as { data: { value: string } }).data.value);
      const value = held.get(name);
      response.writeHead(value === undefined ? 404 : 200, { "content-type": "application/json" });
      response.end(JSON.stringify({ data: { data: { value } } }));
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  const address = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const box = createSandbox();
  box.write(database, {
    extra: `secrets: {provider: vault, config: {address: "${address}", token: a-token-of-test}}\n`,
  });
  await kill(box.start("apply", "-y"), "the store is asked", () => asked > 0);
  expect(box.cloud.objects()).toHaveLength(1);
  answers = true;
  expect(await box.run("apply", "-y")).toMatchObject({ code: 0 });
  expect(held.get(secretName)).toBe(`password-of-${box.cloud.objects()[0]?.id}`);
});

test("the secret of an object whose delete was in flight at a kill goes from the store", async () => {
  const box = createSandbox();
  box.write(database, { extra: routed });
  expect(await box.run("apply", "-y")).toMatchObject({ code: 0 });
  writeFaults(box.root, [{ operation: "delete", name: "db", nth: 1, holdAfter: "gone" }]);
  await kill(box.start("destroy", "-y"), "the object is gone", () => existsSync(join(box.root, "reached/gone")));
  writeFaults(box.root, []);
  expect(readdirSync(box.path("store"))).toEqual([secretName]);
  expect(await box.run("destroy", "-y")).toMatchObject({ code: 0 });
  expect(readdirSync(box.path("store"))).toEqual([]);
});

/** The provider through the router of the moment; each host's own plugin through that of its start. */
function routedBy(router: () => Pick<SecretRouter, "route">, plain: FakeProvider): FakeProvider {
  const launched = (): FakeProvider => {
    const calls = plain.launched();
    const get = (target: FakeProvider, key: string | symbol): unknown =>
      Reflect.get(key in calls ? calls : target, key);
    return router().route(new Proxy(plain, { get }));
  };
  const get = (_: FakeProvider, key: string | symbol): unknown =>
    key === "launched" ? launched : (Reflect.get(router().route(plain), key) as unknown);
  return new Proxy(plain, { get });
}

/** An engine that is killed between the outcome of a create and its hook, after the store took or refused the secret. */
async function killBeforeHook(storeTakes: boolean) {
  const folder = mkdtempSync(join(tmpdir(), "wfctl-hook-"));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  const path = join(folder, "store");
  if (!storeTakes) writeFileSync(path, "in the way");
  const open = (): SecretRouter =>
    createSecretRouter({
      store: openSecretStore("file", { path }, { cwd: folder, env: {} }),
      digest: (text) => Buffer.from(text).toString("hex"),
      recorded: () => undefined,
    });
  let router = open();
  let recovers = false;
  const stack = createTestStack({
    providers: (cloud, clock) => {
      const types = { "infra.item": { sensitiveOutputs: ["password"], extraOutputs: { password: "s3cret-s3cret" } } };
      const plain = createFakeProvider(cloud, { clock, types });
      return [routedBy(() => (recovers ? router.recovery : router), plain)];
    },
  });
  await stack.applyUntil((point) => point.at === "durable" && point.events[0]?.kind === "half", [wanted("a")], {
    hooks: router.hooks,
  });
  if (!storeTakes) rmSync(path);
  router = open();
  recovers = true;
  await stack.recover({ hooks: router.recovery.hooks });
  const outcome = await stack.hold(async ({ memory }) => {
    const [run] = await memory.runs();
    return (await memory.run(run?.header.id ?? ""))?.outcomes.get(0);
  });
  return { outcome, record: await stack.record("a") };
}

test("a kill between outcome and hook: a secret that the store holds is SUCCESS", async () => {
  const { outcome, record } = await killBeforeHook(true);
  expect(outcome?.status).toBe("SUCCESS");
  expect(record?.mark).toBeUndefined();
  expect(record?.outputs["password"]).toMatch(/^secret_ref:/);
});

test("a kill between outcome and hook: a secret that was never stored is no SUCCESS", async () => {
  const { outcome, record } = await killBeforeHook(false);
  expect(outcome).toMatchObject({ status: "COMPENSATION_FAILED", code: "HOOK_FAILED" });
  expect(outcome?.message).toContain("does not hold it");
  expect(record?.mark).toBe("tainted");
});

test("undoing a create-first replace leaves the secret of the object that is current again in the store", async () => {
  const folder = mkdtempSync(join(tmpdir(), "wfctl-undo-"));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  const path = join(folder, "store");
  let state: { readonly records: ReadonlyMap<string, ResourceRecord> } = { records: new Map() };
  const open = (): SecretRouter =>
    createSecretRouter({
      store: openSecretStore("file", { path }, { cwd: folder, env: {} }),
      digest: (text) => Buffer.from(text).toString("hex"),
      recorded: (name) => state.records.get(name),
    });
  let router = open();
  const stack = createTestStack({
    providers: (cloud, clock) => {
      const kind = {
        createFirst: true,
        forceNew: ["region"],
        sensitiveOutputs: ["password"],
        extraOutputs: { password: "s3cret-s3cret" },
      };
      const refused = { wrong: "refused", class: "forbidden" } as const;
      const faults = scriptFaults([{ operation: "create", name: "bad", fault: { goes: refused } }]);
      const plain = createFakeProvider(cloud, { clock, types: { "infra.item": kind }, faults });
      return [routedBy(() => router, plain)];
    },
  });
  const desired = (region: string) => [wanted("a", { region }), wanted("bad", { a: ref("a", "id") })];
  await stack.apply(desired("eu").slice(0, 1), { hooks: router.hooks });
  state = await stack.state();
  router = open();
  const run = await stack.apply(desired("us"), { hooks: router.hooks, onFailure: "compensate" });
  expect(run.ends["a"]).toMatch(/^COMPENSATED/);
  expect((await stack.record("a"))?.inputs).toMatchObject({ region: "eu" });
  expect(readdirSync(path)).toEqual([derivedSecretName("a", "password")]);
  await stack.destroy({ hooks: router.hooks });
  expect(readdirSync(path)).toEqual([]);
});
