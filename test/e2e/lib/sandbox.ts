import { spawn, spawnSync, type ChildProcess } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { openDiskCloud, testPluginDir, type DiskCloud } from "@wfctl/testkit";
import { onTestFinished } from "vitest";
import { findCliProgram } from "./cli-program.ts";

const main = findCliProgram();
const repository = fileURLToPath(new URL("../../../", import.meta.url));
/** No command of these tests may take longer. */
const limitMs = 150_000;

/** What a command says of a plugin that a busy machine lets it wait for. */
const waitingLine = /^(?:Plugin "|\{"schema":"wfctl\/notice\/1","event":"waiting").*has not answered.* yet: .*\n/gmu;

/** Runs a program as the first of a PID namespace, which ends with it. Linux, as root. */
const ownProcessNumbers = ["unshare", "--pid", "--fork", "--kill-child", "--mount-proc"];

/** Why no command can be started elsewhere on this machine; undefined where it can. */
export function elsewhereProblem(): string | undefined {
  const { status } = spawnSync("unshare", [...ownProcessNumbers.slice(1), "true"]);
  return status === 0 ? undefined : "unshare --pid is not allowed here";
}

export interface Finished {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  /** Without the lines on plugins that let the command wait: they depend on the machine. */
  readonly stderr: string;
}

export interface Running {
  readonly process: ChildProcess;
  readonly finished: Promise<Finished>;
  /** Resolves once standard output or error holds the text. Rejects when the command ends before. */
  says(text: string): Promise<void>;
}

export interface Sandbox {
  readonly directory: string;
  /** Folder of the cloud that the stack's provider keeps its objects in. */
  readonly root: string;
  readonly cloud: DiskCloud;
  /** Runs a command to its end. */
  run(...args: string[]): Promise<Finished>;
  /** As `run`, with variables added to the environment; undefined takes one out. */
  runWith(env: Readonly<Record<string, string | undefined>>, ...args: string[]): Promise<Finished>;
  start(...args: string[]): Running;
  /** As `start`, with variables added; `elsewhere` in process numbers of its own, as on another machine. */
  startWith(
    options: { readonly env?: Readonly<Record<string, string | undefined>>; readonly elsewhere?: boolean },
    ...args: string[]
  ): Running;
  /** Writes infra.yaml: the provider module and the given resources, as YAML. */
  write(resources: string, options?: { provider?: string; account?: string; extra?: string; config?: string }): void;
  path(...parts: string[]): string;
  /** Everything that is written below the folder but in the cloud, as one text. */
  everything(): string;
}

/** A folder of its own with a stack, a cloud on disk, keys and settings. Removed when the test ends, processes with it. */
export function createSandbox(): Sandbox {
  const directory = mkdtempSync(join(tmpdir(), "wfctl-e2e-"));
  const root = join(directory, "cloud");
  const children = new Set<ChildProcess>();
  onTestFinished(async () => {
    await Promise.all([...children].map(end));
    rmSync(directory, { recursive: true, force: true, maxRetries: 5 });
  });

  const launch = (
    env: Readonly<Record<string, string | undefined>>,
    args: readonly string[],
    elsewhere = false,
  ): Running => {
    const command = [process.execPath, "--disable-warning=ExperimentalWarning", main, ...args];
    const [program = "", ...rest] = elsewhere ? [...ownProcessNumbers, ...command] : command;
    const child = spawn(program, rest, {
      cwd: directory,
      env: { ...baseEnvironment(directory), ...env },
      stdio: ["ignore", "pipe", "pipe"],
    });
    children.add(child);
    let stdout = "";
    let stderr = "";
    const watchers = new Set<() => void>();
    const take = (add: (text: string) => void) => (chunk: Buffer) => {
      add(chunk.toString());
      for (const watch of watchers) watch();
    };
    child.stdout.on(
      "data",
      take((text) => (stdout += text)),
    );
    child.stderr.on(
      "data",
      take((text) => (stderr += text)),
    );
    const timer = setTimeout(() => child.kill("SIGKILL"), limitMs);
    const finished = new Promise<Finished>((resolve) => {
      child.once("close", (code, signal) => {
        clearTimeout(timer);
        children.delete(child);
        for (const watch of watchers) watch();
        resolve({ code, signal, stdout, stderr: stderr.replaceAll(waitingLine, "") });
      });
    });
    return {
      process: child,
      finished,
      says: (text) =>
        new Promise((resolve, reject) => {
          const look = (): void => {
            if ((stdout + stderr).includes(text)) resolve();
            else if (child.exitCode !== null || child.signalCode !== null) {
              reject(new Error(`The command ended without saying "${text}":\n${stdout}\n${stderr}`));
            } else return;
            watchers.delete(look);
          };
          watchers.add(look);
          look();
        }),
    };
  };
  return {
    directory,
    root,
    cloud: openDiskCloud(root),
    run: (...args) => launch({}, args).finished,
    runWith: (env, ...args) => launch(env, args).finished,
    start: (...args) => launch({}, args),
    startWith: ({ env = {}, elsewhere = false }, ...args) => launch(env, args, elsewhere),
    write(resources, options = {}) {
      const account = options.account === undefined ? "" : `, account: ${options.account}`;
      const more = options.config === undefined ? "" : `, ${options.config}`;
      const text = `name: shop
${options.extra ?? ""}
modules:
  - name: cloud
    type: iac.provider
    config: {provider: ${options.provider ?? "cloud"}, root: "${root}"${account}${more}}
${resources}
`;
      writeFileSync(join(directory, "infra.yaml"), text);
    },
    path: (...parts) => join(directory, ...parts),
    everything: () => readAll(directory, root),
  };
}

async function end(child: ChildProcess): Promise<void> {
  const isOver = child.exitCode !== null || child.signalCode !== null;
  child.kill("SIGKILL");
  if (!isOver) await new Promise((resolve) => child.once("exit", resolve));
}

function baseEnvironment(directory: string): NodeJS.ProcessEnv {
  const env: NodeJS.ProcessEnv = {
    ...process.env,
    XDG_CONFIG_HOME: join(directory, "config"),
    XDG_CACHE_HOME: join(directory, "cache"),
    WFCTL_PLUGIN_DIR: testPluginDir,
    NODE_COMPILE_CACHE: join(repository, "node_modules/.cache/wfctl-node"),
  };
  for (const name of [
    "CI",
    "WFCTL_KEY",
    "WFCTL_KEY_FILE",
    "WFCTL_PASSPHRASE",
    "FORCE_COLOR",
    "NODE_OPTIONS",
    "NODE_V8_COVERAGE",
  ]) {
    delete env[name];
  }
  return env;
}

function readAll(directory: string, except: string): string {
  return readdirSync(directory, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && !join(entry.parentPath, entry.name).startsWith(except))
    .map((entry) => readFileSync(join(entry.parentPath, entry.name), "latin1"))
    .join("\n");
}
