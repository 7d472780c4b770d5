import { existsSync, readFileSync, rmSync, statSync } from "node:fs";
import { createServer } from "node:net";
import { once } from "node:events";
import { mkdirSync, mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { PluginProvider } from "@wfctl/plugin-host";
import { expect, onTestFinished, test } from "vitest";
import { findFreePort } from "../src/services/ports.ts";
import {
  isAlive,
  listAll,
  options,
  processesBelow,
  refOf,
  specOf,
  startLocal,
  until,
  type Config,
} from "./testdata/host.ts";

const type = "infra.container_service";
const spec = specOf(type);
const ref = refOf(type);
const server = join(import.meta.dirname, "testdata/server.mjs");
const owned = { ...options, owner: "lineage/api", clientToken: "token-1" };
const command = [process.execPath, server];
const config: Config = {
  provider: "here",
  command,
  env_vars: { GREETING: "hi", COUNT: 3 },
  env_vars_secret: { TOKEN: "s3cr3t-value" },
  health_check: { http_path: "/", period_seconds: 1, timeout_seconds: 30 },
  termination: { grace_period_seconds: 2 },
};
const quiet = { needsUpdate: false, needsReplace: false, changes: [] };

/** Over a connection of its own: a kept one would stay with one instance. */
async function fetchText(url: string): Promise<string> {
  return (await fetch(url, { headers: { connection: "close" } })).text();
}

const outputOf = (object: { outputs: { readonly [key: string]: unknown } }, key: string): string => {
  const value = object.outputs[key];
  return typeof value === "number" ? String(value) : typeof value === "string" ? value : "";
};
const urlOf = (object: { outputs: { readonly [key: string]: unknown } }): string => outputOf(object, "url");
const pidOf = async (url: string): Promise<number> => Number((await fetchText(url)).split(" ")[2]);

async function isGone(provider: PluginProvider, id: string): Promise<boolean> {
  return (await provider.read(ref("api", id), options)) === undefined;
}

test("create starts the command and returns when it is healthy; the diff after it is quiet", async () => {
  const { provider, root } = await startLocal();
  const made = await provider.create(spec("api", config), owned);
  expect(made).toMatchObject({ created: true, status: "running", owner: "lineage/api" });
  expect(made.providerId).toMatch(/^api-[0-9a-f]{8}$/);
  expect(await fetchText(urlOf(made))).toMatch(/^hi from \d+ 0$/);
  expect(urlOf(made)).toBe(`http://127.0.0.1:${outputOf(made, "port")}`);
  expect(readFileSync(outputOf(made, "log_path"), "utf8")).toContain(`listening on ${outputOf(made, "port")}`);
  expect(JSON.stringify(made.outputs)).not.toContain("s3cr3t-value");
  const read = (await provider.read(ref("api", made.providerId), options))!;
  expect(await provider.diff(spec("api", config), read, options)).toEqual(quiet);
  expect(await provider.diff(spec("api", config), { ...read, inputs: config }, options)).toEqual(quiet);
  expect(statSync(join(root, "services", made.providerId)).mode & 0o777).toBe(0o700);
  await provider.delete(ref("api", made.providerId), owned);
});

test("the command sees its own variables and nothing of the provider's", async () => {
  process.env["WFCTL_TEST_CREDENTIAL"] = "not for services";
  onTestFinished(() => void delete process.env["WFCTL_TEST_CREDENTIAL"]);
  const { provider } = await startLocal();
  const made = await provider.create(spec("api", config), owned);
  const environment = JSON.parse(await fetchText(`${urlOf(made)}/env`)) as Record<string, string>;
  expect(environment).toMatchObject({
    GREETING: "hi",
    COUNT: "3",
    TOKEN: "s3cr3t-value",
    PORT: outputOf(made, "port"),
  });
  expect(environment).not.toHaveProperty("WFCTL_TEST_CREDENTIAL");
  expect(environment).not.toHaveProperty("WORKFLOW_PLUGIN");
});

test("the service outlives the plugin, killed or not, and the next plugin finds it", async () => {
  const { provider, again } = await startLocal();
  const made = await provider.create(spec("api", config), owned);
  const pid = await pidOf(urlOf(made));
  provider.kill();
  await until(() => provider.processGone());
  expect(await pidOf(urlOf(made))).toBe(pid);
  const next = await again();
  expect(await next.read(ref("api", made.providerId), options)).toMatchObject({ status: "running" });
  expect((await next.lookup(type, "token-1", "api", options))?.providerId).toBe(made.providerId);
  expect(await next.lookup(type, "token-x", "api", options)).toBeUndefined();
  expect((await next.read(ref("api", ""), options))?.providerId).toBe(made.providerId);
});

test("delete ends every process, those too that left their group, and leaves no file", async () => {
  const { provider, root, folder } = await startLocal();
  const made = await provider.create(
    spec("api", {
      ...config,
      env_vars: { HELPER: "daemon", FAIL: "stubborn" },
      termination: { grace_period_seconds: 0.2 },
    }),
    owned,
  );
  const service = join(root, "services", made.providerId);
  // Supervisor, server, daemon.
  await until(() => processesBelow(service).length === 3);
  const processes = processesBelow(service);
  await provider.delete(ref("api", made.providerId), owned);
  expect(processes.filter(isAlive)).toEqual([]);
  await until(() => processesBelow(folder).every((pid) => pid === provider.process.pid));
  expect(listAll(root)).toEqual([]);
  expect(await isGone(provider, made.providerId)).toBe(true);
  await expect(provider.delete(ref("api", made.providerId), owned)).resolves.toBeUndefined();
});

test("a changed command or variable restarts it in place, under its port", async () => {
  const { provider } = await startLocal();
  const made = await provider.create(spec("api", config), owned);
  const pid = await pidOf(urlOf(made));
  const wanted = { ...config, env_vars: { GREETING: "bye" } };
  const diff = await provider.diff(spec("api", wanted), made, options);
  expect(diff).toMatchObject({ needsUpdate: true, needsReplace: false });
  expect(diff.changes.map(({ path }) => path)).toEqual(["env_vars.GREETING", "env_vars.COUNT"]);
  const updated = await provider.update(ref("api", made.providerId), spec("api", wanted), owned);
  expect(updated.outputs).toEqual(made.outputs);
  expect(await fetchText(urlOf(made))).toMatch(/^bye from/);
  expect(isAlive(pid)).toBe(false);
  const after = await pidOf(urlOf(made));
  await provider.update(ref("api", made.providerId), spec("api", wanted), owned);
  expect(await pidOf(urlOf(made))).toBe(after);
});

test("secret variables are compared without being shown", async () => {
  const { provider } = await startLocal();
  const made = await provider.create(spec("api", config), owned);
  const { changes } = await provider.diff(
    spec("api", { ...config, env_vars_secret: { TOKEN: "another-secret" } }),
    made,
    options,
  );
  expect(changes.map(({ path }) => path)).toEqual(["env_vars_secret.TOKEN"]);
  expect(JSON.stringify(changes)).not.toMatch(/s3cr3t-value|another-secret/);
  expect(provider.traits(type)?.sensitiveInputs).toEqual(["env_vars_secret"]);
});

test("a process that dies is started again", async () => {
  const { provider } = await startLocal();
  const made = await provider.create(spec("api", config), owned);
  const pid = await pidOf(urlOf(made));
  await fetch(`${urlOf(made)}/die`).catch(() => {});
  await until(async () => (await pidOf(urlOf(made)).catch(() => pid)) !== pid);
  await until(async () => (await provider.read(ref("api", made.providerId), options))?.status === "running");
  expect(isAlive(pid)).toBe(false);
});

test("a dead supervisor shows as drift, and update repairs it without a second copy", async () => {
  const { provider, root } = await startLocal();
  const made = await provider.create(spec("api", config), owned);
  const service = join(root, "services", made.providerId);
  const orphan = await pidOf(urlOf(made));
  const supervisor = processesBelow(service).find((pid) => pid !== orphan)!;
  process.kill(supervisor, "SIGKILL");
  await until(() => !isAlive(supervisor));
  const read = (await provider.read(ref("api", made.providerId), options))!;
  expect(read.status).toBe("stopped");
  expect((await provider.diff(spec("api", config), read, options)).changes).toMatchObject([
    { path: "running", old: false, new: true },
  ]);
  await provider.update(ref("api", made.providerId), spec("api", config), owned);
  expect(isAlive(orphan)).toBe(false);
  expect(await fetchText(urlOf(made))).toMatch(/^hi from/);
  await until(() => processesBelow(service).length === 2);
  const repaired = (await provider.read(ref("api", made.providerId), options))!;
  expect(await provider.diff(spec("api", config), repaired, options)).toEqual(quiet);
});

test("delete works without a supervisor", async () => {
  const { provider, root } = await startLocal();
  const made = await provider.create(spec("api", config), owned);
  const service = join(root, "services", made.providerId);
  const child = await pidOf(urlOf(made));
  process.kill(
    processesBelow(service).find((pid) => pid !== child)!,
    "SIGKILL",
  );
  await provider.delete(ref("api", made.providerId), owned);
  expect(isAlive(child)).toBe(false);
  expect(listAll(root)).toEqual([]);
});

test("running: false stops it and keeps the rest; it starts again under its port", async () => {
  const { provider } = await startLocal();
  const made = await provider.create(spec("api", config), owned);
  const stopped = await provider.update(ref("api", made.providerId), spec("api", { ...config, running: false }), owned);
  expect(stopped.status).toBe("stopped");
  await expect(fetch(urlOf(made))).rejects.toMatchObject({ message: "fetch failed" });
  const read = (await provider.read(ref("api", made.providerId), options))!;
  expect(await provider.diff(spec("api", { ...config, running: false }), read, options)).toEqual(quiet);
  await provider.update(ref("api", made.providerId), spec("api", config), owned);
  expect(await fetchText(urlOf(made))).toMatch(/^hi from/);
});

test("several instances share one port", async () => {
  const { provider } = await startLocal();
  const made = await provider.create(spec("api", { ...config, instance_count: 3 }), owned);
  const seen = new Set<string>();
  await until(async () => {
    seen.add((await fetchText(urlOf(made))).split(" ")[3] ?? "");
    return seen.size === 3;
  });
  expect(await provider.read(ref("api", made.providerId), options)).toMatchObject({ inputs: { instance_count: 3 } });
});

test("a fixed port is used; one that is taken is refused before anything is made", async () => {
  const { provider, root } = await startLocal();
  const port = await findFreePort(new Set());
  const taken = createServer().listen(port, "127.0.0.1");
  await once(taken, "listening");
  await expect(provider.create(spec("api", { ...config, http_port: port }), owned)).rejects.toMatchObject({
    class: "validation",
    message: expect.stringContaining(`Port ${port} on 127.0.0.1 is in use`),
  });
  expect(listAll(root)).toEqual([]);
  taken.close();
  await once(taken, "close");
  const made = await provider.create(spec("api", { ...config, http_port: port }), owned);
  expect(made.outputs["port"]).toBe(port);
  expect(await provider.diff(spec("api", { ...config, port }), made, options)).toEqual(quiet);
});

test("a command that cannot be started is refused and leaves nothing", async () => {
  const { provider, root, folder } = await startLocal();
  await expect(provider.create(spec("api", { command: ["/nowhere/program"] }), owned)).rejects.toMatchObject({
    class: "validation",
    message: expect.stringContaining("ENOENT on /nowhere/program"),
  });
  expect(listAll(root)).toEqual([]);
  await until(() => processesBelow(folder).every((pid) => pid === provider.process.pid));
});

test("a command that keeps ending fails the create, which says what is there", async () => {
  const { provider } = await startLocal();
  const failure = await provider.create(spec("api", { run_command: "exit 3", restart: "never" }), owned).then(
    () => undefined,
    (error: unknown) => error as { class: string; message: string; partial?: { providerId: string } },
  );
  expect(failure).toMatchObject({ class: "unknown", message: expect.stringContaining("exit code 3") });
  const found = await provider.lookup(type, "token-1", "api", options);
  expect(failure?.partial?.providerId).toBe(found?.providerId);
});

test("images, two commands, no command: refused with what to do", async () => {
  const { provider } = await startLocal();
  const refusal = async (wanted: Config): Promise<string> =>
    provider.create(spec("api", wanted), owned).then(
      () => "accepted",
      (error: unknown) => (error as Error).message,
    );
  expect(await refusal({ image: "nginx:1" })).toContain(
    "image: the local provider runs commands, not images; set run_command",
  );
  expect(await refusal({})).toContain("run_command: run_command or command is required");
  expect(await refusal({ run_command: "true", command })).toContain("exclude each other");
  expect(await refusal({ run_command: "x", http_port: 1, port: 2 })).toContain("differ");
  expect(await refusal({ run_comand: "x", health_check: { path: "/" } })).toMatch(
    /run_comand: unknown key, did you mean "run_command"/,
  );
});

test("keys of other clouds have no effect", async () => {
  const { provider } = await startLocal();
  const portable: Config = {
    ...config,
    image: "api:1",
    routes: [{ path: "/" }],
    autoscaling: { min: 1 },
    region: "fra1",
    size: "s",
    instance_type: "x",
  };
  const made = await provider.create(spec("api", portable), owned);
  expect(await provider.diff(spec("api", portable), made, options)).toEqual(quiet);
  expect((await provider.resolveSizing(type, "s", undefined, options))?.specs).toEqual({ nice: 5 });
  expect(await provider.resolveSizing(type, "m", undefined, options)).toBeUndefined();
});

test("run_command runs in a shell, in the folder that is asked for", async () => {
  const { provider, folder } = await startLocal();
  const place = join(folder, "with space");
  mkdirSync(place);
  const made = await provider.create(
    spec("job", {
      run_command: 'echo "$GREETING from $(pwd)"; exec sleep 1000',
      working_dir: place,
      env_vars: { GREETING: "hej" },
    }),
    { ...owned, owner: "lineage/job" },
  );
  const log = outputOf(made, "log_path");
  await until(() => readFileSync(log, "utf8") !== "");
  expect(readFileSync(log, "utf8")).toBe(`hej from ${place}\n`);
});

test("the log is rotated at its size and kept as often as asked", async () => {
  const { provider } = await startLocal();
  const made = await provider.create(
    spec("api", {
      run_command: "while :; do echo xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx; sleep 0.001; done",
      log: { max_bytes: 1024, keep: 2 },
    }),
    owned,
  );
  const log = outputOf(made, "log_path");
  await until(() => existsSync(`${log}.2`));
  expect(existsSync(`${log}.3`)).toBe(false);
  // For a moment of each rotation it is not there.
  let size: number | undefined;
  await until(() => (size = statSync(`${log}.1`, { throwIfNoEntry: false })?.size) !== undefined);
  expect(size).toBeLessThanOrEqual(1024);
});

test("Stop ends the wait for a service that does not come up", async () => {
  const { provider } = await startLocal();
  const waiting = Promise.withResolvers<void>();
  const call = provider.create(
    spec("api", { ...config, env_vars: { FAIL: "unhealthy" }, health_check: { http_path: "/", period_seconds: 60 } }),
    {
      ...owned,
      onProgress: (report) => report.waiting && waiting.resolve(),
    },
  );
  call.catch(() => {});
  await waiting.promise;
  await provider.stop("run-1");
  await expect(call).rejects.toMatchObject({
    class: "cancelled",
    partial: { providerId: expect.stringMatching(/^api-/) },
  });
});

test("supervisors end when their folder is removed by hand", async () => {
  const { provider, root, folder } = await startLocal();
  const made = await provider.create(spec("api", config), owned);
  const service = join(root, "services", made.providerId);
  await until(() => processesBelow(service).length === 2);
  const processes = processesBelow(service);
  rmSync(root, { recursive: true });
  await until(() => processes.every((pid) => !isAlive(pid)));
  await until(() => processesBelow(folder).every((pid) => pid === provider.process.pid));
  expect(existsSync(root)).toBe(false);
});

test("a root with a long path and spaces in it works", async () => {
  const folder = join(mkdtempSync(join(tmpdir(), "local-")), `a long name ${"x".repeat(80)}`);
  mkdirSync(folder);
  const { provider } = await startLocal({ folder });
  const made = await provider.create(spec("api", config), owned);
  expect(await fetchText(urlOf(made))).toMatch(/^hi from/);
  await provider.delete(ref("api", made.providerId), owned);
});
