import { spawn } from "node:child_process";
import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { motoCache as cache, prepareMoto } from "@wfctl/object-store/moto-environment";

export { motoPackages, motoProblem } from "@wfctl/object-store/moto-environment";

/**
 * Address of a moto server that the test files of one worker share; the first starts it. It ends with the test run.
 * Makes moto's virtual environment where it is missing.
 */
export async function startMoto(): Promise<string> {
  const python = await prepareMoto();
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
