/**
 * Runs the conformance suite, level strict, on the packed plugin of every provider that has a conformance.json.
 *
 *   node tools/test-conformance.ts [PROVIDER...]      default: all of them
 *
 * A provider whose samples need a stand-in for its cloud starts it in test/conformance-environment.ts, which exports
 * `startConformanceEnvironment(): Promise<{ env: Record<string, string>; stop(): Promise<void> }>`.
 */
import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdir, mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { renderReport, runConformance } from "@wfctl/conformance";

interface Environment {
  readonly env: Readonly<Record<string, string>>;
  stop(): Promise<void>;
}

const root = fileURLToPath(new URL("..", import.meta.url));

/** Providers that have plugin.json and conformance.json. */
export async function listTriedProviders(): Promise<string[]> {
  const names = await readdir(join(root, "providers"));
  const has = (name: string, file: string): boolean => existsSync(join(root, "providers", name, file));
  return names.filter((name) => has(name, "plugin.json") && has(name, "conformance.json")).toSorted();
}

/** Unpacks a provider's tarball as a plugin folder below `out`. */
export async function unpackPlugin(tarballs: readonly string[], name: string, out: string): Promise<string> {
  const tarball = tarballs.find((path) => basename(path).startsWith(`wfctl-provider-${name}-`));
  if (tarball === undefined) throw new Error(`Cannot find the packed provider ${name}`);
  const folder = join(out, name);
  await mkdir(folder, { recursive: true });
  await promisify(execFile)("tar", ["-xzf", tarball, "-C", folder, "--strip-components=1"]);
  return folder;
}

async function startEnvironment(name: string): Promise<Environment> {
  const file = join(root, "providers", name, "test/conformance-environment.ts");
  if (!existsSync(file)) return { env: {}, stop: () => Promise.resolve() };
  const module = (await import(file)) as { startConformanceEnvironment(): Promise<Environment> };
  return await module.startConformanceEnvironment();
}

async function tryProvider(name: string, folder: string): Promise<boolean> {
  const { env, stop } = await startEnvironment(name);
  try {
    const report = await runConformance(folder, {
      level: "strict",
      configFile: join(root, "providers", name, "conformance.json"),
      env: { ...process.env, ...env },
    });
    console.log(renderReport(report));
    return report.conforms;
  } finally {
    await stop();
  }
}

if (import.meta.main) {
  const tried = await listTriedProviders();
  const wanted = process.argv.slice(2);
  const unknown = wanted.find((name) => !tried.includes(name));
  if (unknown !== undefined || tried.length === 0) {
    console.error(`Cannot try "${unknown ?? ""}": providers with a conformance.json are ${tried.join(", ") || "none"}`);
    process.exit(1);
  }
  const out = await mkdtemp(join(tmpdir(), "wfctl-conformance-"));
  try {
    const { packAll } = (await import("./pack.mjs" as string)) as {
      packAll(out: string, options: { only: readonly string[] }): Promise<string[]>;
    };
    const names = wanted.length > 0 ? wanted : tried;
    const tarballs = await packAll(join(out, "packages"), { only: names });
    for (const name of names) {
      if (!(await tryProvider(name, await unpackPlugin(tarballs, name, out)))) process.exitCode = 1;
    }
  } finally {
    await rm(out, { recursive: true, force: true });
  }
}
