import { execFile, spawn } from "node:child_process";
import { access, chmod, cp, mkdir, mkdtemp, readFile, readdir, realpath, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { basename, delimiter, join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { listLauncherCopies } from "./copy-launcher.ts";

const root = fileURLToPath(new URL("..", import.meta.url));
const run = promisify(execFile);
const version = (JSON.parse(await readFile(join(root, "apps/cli/package.json"), "utf8")) as { version: string })
  .version;

/** PATH as a user has it: whatever Node the machine has, not the one of this repository. */
const systemPath = (process.env["PATH"] ?? "")
  .split(delimiter)
  .filter((folder) => !folder.includes("node_modules"))
  .join(delimiter);

let home = "";
let tarballs: string[] = [];
/** The environment of a user whose `node` is too old: it fails when it is asked to run a program. */
let oldNode: NodeJS.ProcessEnv = {};

beforeAll(async () => {
  home = await realpath(await mkdtemp(join(tmpdir(), "wfctl-pack-")));
  await mkdir(join(home, "old"));
  await writeFile(join(home, "old/node"), '#!/bin/sh\necho v20.20.2\n[ "$*" = --version ] || exit 97\n');
  await chmod(join(home, "old/node"), 0o755);
  oldNode = { HOME: home, PATH: `${join(home, "old")}${delimiter}${systemPath}` };
  const { stdout } = await run("node", [join(root, "tools/pack.mjs"), "--out", join(home, "packages")], {
    env: npmEnv(),
  });
  tarballs = stdout.trim().split("\n");
});
afterAll(() => rm(home, { recursive: true, force: true }));

/** npm on the system's own Node, without what the npm that runs this test left in the environment. */
function npmEnv(): NodeJS.ProcessEnv {
  const own = Object.entries(process.env).filter(
    ([name]) => !/^npm_(config_local_prefix|lifecycle|package|command)/.test(name),
  );
  return { ...Object.fromEntries(own), PATH: systemPath };
}

const npmQuiet = ["--prefer-offline", "--fetch-retries=5", "--no-audit", "--no-fund", "--loglevel=error"];

describe("the packed CLI", () => {
  test("installs globally and starts where the first node on PATH is too old", async () => {
    const tarball = tarballs.find((path) => basename(path) === `wfctl-${version}.tgz`);
    expect(tarball).toBeDefined();
    await run("npm", ["install", "--global", "--prefix", join(home, "global"), ...npmQuiet, tarball ?? ""], {
      env: npmEnv(),
    });
    const { stdout } = await run(join(home, "global/bin/wfctl"), ["version"], { env: oldNode, cwd: home });
    expect(stdout).toContain(version);
  });

  test("needs nothing but the platform packages of Node and runs no install script", async () => {
    const folder = join(home, "global/lib/node_modules/wfctl");
    const manifest = JSON.parse(await readFile(join(folder, "package.json"), "utf8")) as Record<string, unknown>;
    expect(manifest).not.toHaveProperty("dependencies");
    expect(manifest).not.toHaveProperty("scripts");
    const installed = await readdir(join(folder, "node_modules"));
    expect(installed.filter((name) => !name.startsWith("."))).toHaveLength(1);
  });
});

test("the CLI of the repository starts through the link of npm where the first node on PATH is too old", async () => {
  const { stdout } = await run(join(root, "node_modules/.bin/wfctl"), ["version"], { env: oldNode, cwd: home });
  expect(stdout).toContain(version);
});

describe("a packed provider", async () => {
  const plugins = (await listLauncherCopies()).map((path) => basename(path)).filter((name) => name !== "wfctl");

  test("exists", () => {
    expect(plugins).toContain("local");
  });

  test.each(plugins)("%s is a plugin folder that a host can start", async (name) => {
    const tarball = tarballs.find((path) => basename(path).startsWith(`wfctl-provider-${name}-`));
    expect(tarball).toBeDefined();
    const folder = join(home, "plugins", name);
    await mkdir(folder, { recursive: true });
    await run("tar", ["-xzf", tarball ?? "", "--strip-components=1", "-C", folder]);
    await access(join(folder, "plugin.json"));
    await run("npm", ["install", "--omit=dev", "--ignore-scripts", ...npmQuiet], { cwd: folder, env: npmEnv() });
    await expectHandshake(folder, name);
  });

  test.each(plugins)("%s starts from its folder in the repository", async (name) => {
    await expectHandshake(join(root, "providers", name), name);
  });

  test.each(plugins)("%s starts from a folder without Node when the host names one", async (name) => {
    const folder = join(home, "bare", name);
    await cp(join(home, "plugins", name), folder, {
      recursive: true,
      filter: (path) => !path.includes("node_modules"),
    });
    await expectHandshake(folder, name, { WFCTL_NODE: process.execPath });
  });
});

/** Starts a plugin as a go-plugin host does and checks that its first line on stdout is the handshake. */
async function expectHandshake(folder: string, name: string, extra: NodeJS.ProcessEnv = {}): Promise<void> {
  const child = spawn(join(folder, name), [], {
    cwd: folder,
    env: {
      ...oldNode,
      ...extra,
      WORKFLOW_PLUGIN: "workflow-external-plugin-v1",
      PLUGIN_MIN_PORT: "10000",
      PLUGIN_MAX_PORT: "25000",
      PLUGIN_PROTOCOL_VERSIONS: "1",
    },
    stdio: ["ignore", "pipe", "pipe"],
    signal: AbortSignal.timeout(120_000),
    killSignal: "SIGKILL",
  });
  let stderr = "";
  child.stderr.setEncoding("utf8").on("data", (text: string) => (stderr += text));
  const exited = new Promise<void>((resolve) => child.once("close", () => resolve()).once("error", () => resolve()));
  let first: string | undefined;
  for await (const line of createInterface({ input: child.stdout })) {
    first = line;
    break;
  }
  child.kill("SIGTERM");
  await exited;
  expect(first, stderr).toMatch(/^1\|1\|(unix\|\/.+|tcp\|127\.0\.0\.1:\d+)\|grpc(\||$)/);
}
