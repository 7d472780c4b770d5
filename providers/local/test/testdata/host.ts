import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createPluginProvider, type PluginProvider } from "@wfctl/plugin-host";
import { onTestFinished } from "vitest";

type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json };
export type Config = { readonly [key: string]: Json };

const providersFolder = join(import.meta.dirname, "../../..");

/** The real plugin process, started by its launcher, with a root of its own. */
export interface LocalHost {
  readonly root: string;
  /** Everything outside the root that a test makes. */
  readonly folder: string;
  readonly provider: PluginProvider;
  /** Lines that the plugin logged. */
  readonly lines: string[];
  /** A second plugin process on the same root. */
  again(): Promise<PluginProvider>;
}

export async function startLocal(options: { folder?: string } = {}): Promise<LocalHost> {
  const folder = options.folder ?? mkdtempSync(join(tmpdir(), "local-"));
  const root = join(folder, "root");
  const lines: string[] = [];
  const started: PluginProvider[] = [];
  const start = async (): Promise<PluginProvider> => {
    const provider = await createPluginProvider({
      pluginDir: providersFolder,
      module: "here",
      provider: "local",
      config: { provider: "local", root },
      log: (line) => lines.push(line),
    });
    started.push(provider);
    return provider;
  };
  onTestFinished(async () => {
    await Promise.all(started.map((provider) => provider.shutdown()));
    // Supervisors end by themselves when their folder is gone.
    rmSync(folder, { recursive: true, force: true });
    await until(() => processesBelow(folder).length === 0, 20_000);
  });
  return { root, folder, provider: await start(), lines, again: start };
}

export const options = { timeoutMs: 60_000, run: "run-1" };

export function specOf(type: string) {
  return (name: string, config: Config) => ({ name, type, config, dependsOn: [] });
}

export function refOf(type: string) {
  return (name: string, providerId: string) => ({ name, type, providerId });
}

/** Waits for a condition, at most a minute. */
export async function until(condition: () => boolean | Promise<boolean>, limitMs = 60_000): Promise<void> {
  const deadline = Date.now() + limitMs;
  while (!(await condition())) {
    if (Date.now() > deadline) throw new Error("The condition did not come true in time");
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

/** Processes whose command line or environment names the folder. */
export function processesBelow(folder: string): number[] {
  return readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name) && Number(name) !== process.pid)
    .filter((pid) => readProc(pid, "cmdline").includes(folder) || readProc(pid, "environ").includes(`=${folder}`))
    .map(Number);
}

export function isAlive(pid: number): boolean {
  const text = readProc(String(pid), "stat");
  return text !== "" && !/\) [ZX] /.test(text);
}

/** Every path below the folder, sorted. */
export function listAll(folder: string): string[] {
  if (!existsSync(folder)) return [];
  return readdirSync(folder, { recursive: true }).map(String).toSorted();
}

function readProc(pid: string, name: string): string {
  try {
    return readFileSync(`/proc/${pid}/${name}`, "utf8");
  } catch {
    return "";
  }
}
