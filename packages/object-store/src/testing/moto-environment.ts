import { spawnSync } from "node:child_process";
import { existsSync, globSync, mkdirSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";

/** With the models that it answers by: newer ones know errors that nobody here has seen. */
const requirements = ["moto[server]==5.2.5", "boto3==1.44.8", "botocore==1.44.8"];
/** Where the environment is, and where tests may keep what they know of their servers. */
export const motoCache = join(import.meta.dirname, "../../../../node_modules/.cache/wfctl-moto");
const venv = join(motoCache, requirements.join(" ").replaceAll(/[^\w.]+/g, "-"));
const python = join(venv, "bin/python");
const ready = join(venv, "ready");
const installTimeoutMs = 600_000;

/** Why tests against moto cannot run here; undefined where they can. */
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
 * The Python of moto's virtual environment, which is made where it is missing (minutes): one process makes it, the others
 * wait for it.
 */
export async function prepareMoto(): Promise<string> {
  if (existsSync(ready)) return python;
  mkdirSync(motoCache, { recursive: true });
  const lock = `${venv}.lock`;
  const giveUpAt = Date.now() + installTimeoutMs;
  for (;;) {
    try {
      mkdirSync(lock);
      break;
    } catch {
      if (existsSync(ready)) return python;
      const age = Date.now() - (statSync(lock, { throwIfNoEntry: false })?.mtimeMs ?? Date.now());
      if (age > installTimeoutMs) rmSync(lock, { recursive: true, force: true });
      if (Date.now() > giveUpAt) throw new Error(`Waited in vain for another process to make "${venv}"`);
      await sleep(200);
    }
  }
  try {
    if (existsSync(ready)) return python;
    rmSync(venv, { recursive: true, force: true });
    run("python3", ["-m", "venv", venv]);
    const install = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--retries=10", ...requirements];
    try {
      run(python, install);
    } catch {
      // The registry had a bad moment: what has come is kept.
      run(python, install);
    }
    writeFileSync(ready, "");
    return python;
  } finally {
    rmSync(lock, { recursive: true, force: true });
  }
}

function run(command: string, args: readonly string[]): void {
  const { status, stderr, error } = spawnSync(command, args, { encoding: "utf8", timeout: installTimeoutMs });
  if (status !== 0) throw new Error(`Cannot run ${command} ${args.join(" ")}: ${error?.message ?? stderr}`);
}
