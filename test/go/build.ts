import { execFile, spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { cpSync, existsSync, mkdirSync, readFileSync, readdirSync, renameSync, rmSync, statSync } from "node:fs";
import { delimiter, join, relative } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

export interface GoPrograms {
  /** A provider on go-plugin, as upstream's are. */
  readonly plugin: string;
  /** A host on go-plugin, as upstream's is. */
  readonly host: string;
}

const root = fileURLToPath(new URL("../..", import.meta.url));
const here = join(root, "test/go");
const cache = join(root, "node_modules/.cache/wfctl-go");
const contracts = join(root, "proto/workflow");
/** With an empty build cache and slow proxies. */
const limitMs = 600_000;

/**
 * The programs of this folder, built once for each state of their sources, the contract and the Go in use.
 * A reason where they cannot be built here: no Go, or none of the modules and no way to get them. Throws where they do
 * not compile.
 */
export async function buildGo(): Promise<GoPrograms | { readonly problem: string }> {
  const { stdout, status } = spawnSync("go", ["version"], { encoding: "utf8", cwd: here });
  if (status !== 0) return { problem: "go is not on this machine" };
  const ready = join(cache, keyOf(stdout));
  if (!existsSync(ready)) {
    const downloaded = spawnSync("go", ["mod", "download"], { cwd: here, env: goEnvironment(), encoding: "utf8" });
    if (downloaded.status !== 0) {
      return { problem: `Go modules cannot be had: ${downloaded.stderr.trim().split("\n").at(-1) ?? ""}` };
    }
    await buildOnce(ready);
  }
  return { plugin: join(ready, "bin/plugin"), host: join(ready, "bin/host") };
}

/** One process builds, the others wait for it. */
async function buildOnce(ready: string): Promise<void> {
  mkdirSync(cache, { recursive: true });
  const lock = `${ready}.lock`;
  const giveUpAt = Date.now() + limitMs;
  while (!takeLock(lock)) {
    if (existsSync(ready)) return;
    if (Date.now() > giveUpAt) throw new Error(`Waited in vain for another process to build "${ready}"`);
    await sleep(200);
  }
  try {
    if (!existsSync(ready)) await build(ready);
  } finally {
    rmSync(lock, { recursive: true, force: true });
  }
}

function takeLock(lock: string): boolean {
  try {
    mkdirSync(lock);
    return true;
  } catch {
    const age = Date.now() - (statSync(lock, { throwIfNoEntry: false })?.mtimeMs ?? Date.now());
    if (age > limitMs) rmSync(lock, { recursive: true, force: true });
    return false;
  }
}

/** In a copy, so that the generated code of the contract lies nowhere in the repository. */
async function build(ready: string): Promise<void> {
  const copy = `${ready}.${process.pid}`;
  rmSync(copy, { recursive: true, force: true });
  cpSync(here, copy, { recursive: true });
  const bin = join(copy, "bin");
  mkdirSync(bin);
  const env = goEnvironment();
  const go = (...args: string[]): Promise<unknown> => run("go", args, { cwd: copy, env });
  const generators = ["google.golang.org/protobuf/cmd/protoc-gen-go", "google.golang.org/grpc/cmd/protoc-gen-go-grpc"];
  await go("build", "-o", bin, ...generators);
  const buf = join(root, "node_modules/.bin/buf");
  const generate = ["generate", "--template", join(copy, "buf.gen.yaml"), "--output", copy, "--path", contracts];
  await run(buf, [...generate, join(root, "proto")], {
    cwd: root,
    env: { ...env, PATH: `${bin}${delimiter}${env["PATH"]}` },
  });
  await go("build", "-trimpath", "-ldflags=-s -w", "-o", bin, "./plugin", "./host");
  renameSync(copy, ready);
  // What was built of older sources.
  for (const name of readdirSync(cache)) {
    const isOther = !ready.endsWith(name.split(".")[0] ?? "");
    if (isOther) rmSync(join(cache, name), { recursive: true, force: true });
  }
}

async function run(command: string, args: string[], options: { cwd: string; env: NodeJS.ProcessEnv }): Promise<void> {
  try {
    await promisify(execFile)(command, args, { ...options, timeout: limitMs, maxBuffer: 16 * 1024 * 1024 });
  } catch (error) {
    const { stderr = "", message } = error as Error & { stderr?: string };
    throw new Error(`${command} ${args.join(" ")}: ${stderr || message}`, { cause: error });
  }
}

function goEnvironment(): NodeJS.ProcessEnv {
  return { ...process.env, GOFLAGS: "-mod=readonly -buildvcs=false", GOWORK: "off", CGO_ENABLED: "0" };
}

function keyOf(goVersion: string): string {
  const hash = createHash("sha256").update(goVersion);
  for (const folder of [here, contracts]) {
    const files = readdirSync(folder, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile() && /\.(?:go|mod|sum|proto|yaml)$/.test(entry.name))
      .map((entry) => join(entry.parentPath, entry.name))
      .toSorted();
    for (const file of files) hash.update(`\n${relative(root, file)}\n`).update(readFileSync(file));
  }
  return hash.digest("hex").slice(0, 16);
}
