import { spawn, spawnSync } from "node:child_process";
import { existsSync, globSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { setTimeout as sleep } from "node:timers/promises";

/** With the models that it answers by: newer ones know errors that nobody here has seen. */
const requirements = ["moto[server]==5.2.5", "boto3==1.44.8", "botocore==1.44.8"];
const root = join(import.meta.dirname, "../../../..");
const cache = join(root, "node_modules/.cache/wfctl-moto");
const venv = join(cache, requirements.join(" ").replaceAll(/[^\w.]+/g, "-"));
const python = join(venv, "bin/python");
const ready = join(venv, "ready");
const installTimeoutMs = 600_000;

/** Why the tests against moto cannot run here; undefined where they can. */
export function motoProblem(): string | undefined {
  if (existsSync(ready)) return undefined;
  const { status } = spawnSync("python3", ["-c", "import venv, ensurepip, sys; sys.exit(sys.version_info < (3, 10))"]);
  return status === 0 ? undefined : "python3 (3.10 or newer, with venv) is not on this machine";
}

/** Folder of the Python packages that moto brings, service models among them. */
export function motoPackages(): string {
  return globSync("lib/python3*/site-packages", { cwd: venv }).map((path) => join(venv, path))[0] ?? venv;
}

/**
 * Address of a moto server that the test files of one worker share; the first starts it. It ends with the test run.
 * Makes moto's virtual environment where it is missing.
 */
export async function startMoto(): Promise<string> {
  await install();
  // Test files run in processes of their own: the server belongs to the run, which is their parent.
  const owner = process.ppid;
  sweep();
  const place = join(cache, `server-${owner}-${process.env["VITEST_POOL_ID"] ?? "0"}`);
  if (existsSync(place)) {
    const address = readFileSync(place, "utf8");
    if (await answers(address)) return address;
  }
  const child = spawn(python, [join(import.meta.dirname, "moto_server.py"), String(owner)], {
    cwd: import.meta.dirname,
    detached: true,
    stdio: ["ignore", "pipe", "ignore"],
    env: { ...process.env, PYTHONDONTWRITEBYTECODE: "1" },
  });
  const port = await new Promise<string>((resolve, reject) => {
    createInterface(child.stdout).once("line", resolve);
    child.once("exit", (code) => reject(new Error(`moto ended with ${code}`)));
  });
  child.stdout.destroy();
  child.unref();
  const address = `http://127.0.0.1:${port}`;
  writeFileSync(place, address);
  return address;
}

/** Forgets the servers of test runs that have ended. */
function sweep(): void {
  for (const name of readdirSync(cache)) {
    const owner = /^server-(\d+)-/.exec(name)?.[1];
    if (owner !== undefined && !isAlive(Number(owner))) rmSync(join(cache, name), { force: true });
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

async function answers(address: string): Promise<boolean> {
  return fetch(`${address}/moto-api/`).then(
    ({ ok }) => ok,
    () => false,
  );
}

/** One process makes the environment, the others wait for it. */
async function install(): Promise<void> {
  if (existsSync(ready)) return;
  mkdirSync(cache, { recursive: true });
  const lock = `${venv}.lock`;
  const giveUpAt = Date.now() + installTimeoutMs;
  for (;;) {
    try {
      mkdirSync(lock);
      break;
    } catch {
      if (existsSync(ready)) return;
      const age = Date.now() - (statSync(lock, { throwIfNoEntry: false })?.mtimeMs ?? Date.now());
      if (age > installTimeoutMs) rmSync(lock, { recursive: true, force: true });
      if (Date.now() > giveUpAt) throw new Error(`Waited in vain for another process to make "${venv}"`);
      await sleep(200);
    }
  }
  try {
    if (existsSync(ready)) return;
    rmSync(venv, { recursive: true, force: true });
    run("python3", ["-m", "venv", venv]);
    run(python, ["-m", "pip", "install", "--quiet", "--disable-pip-version-check", ...requirements]);
    writeFileSync(ready, "");
  } finally {
    rmSync(lock, { recursive: true, force: true });
  }
}

function run(command: string, args: readonly string[]): void {
  const { status, stderr, error } = spawnSync(command, args, { encoding: "utf8", timeout: installTimeoutMs });
  if (status !== 0) throw new Error(`Cannot run ${command} ${args.join(" ")}: ${error?.message ?? stderr}`);
}
