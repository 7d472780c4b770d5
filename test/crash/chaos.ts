import { spawn, type ChildProcess } from "node:child_process";
import { mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createSeededRandom, openDiskCloud, testPluginDir, type DiskCloud, type SeededRandom } from "@wfctl/testkit";

export interface ChaosOptions {
  readonly seed: number;
  /** Kills in the story. */
  readonly kills: number;
  /** The command under test, as argv. */
  readonly command: readonly [string, ...string[]];
  /** Plugin folders and the provider: ours, or one of upstream's kind. */
  readonly provider: "cloud" | "upstreamlike";
  readonly pluginDir?: string;
}

export interface ChaosReport {
  readonly kills: { host: number; plugin: number; both: number };
  /** Applies after the last kill until nothing was left to do. */
  readonly applies: number;
  readonly resources: number;
  /** What does not hold, one sentence each. Empty is what is wanted. */
  readonly faults: readonly string[];
}

const limitMs = 120_000;
const endsWithinMs = 30_000;

/**
 * One story: a stack is applied, changed and applied again, and each time the host, its plugin or both are killed
 * somewhere in the run. In the end plain applies go on until nothing is left to do. Then the cloud must be what the state says:
 * nothing lost, nothing twice, nothing orphaned.
 */
export async function runChaos(options: ChaosOptions): Promise<ChaosReport> {
  const random = createSeededRandom(options.seed);
  const directory = mkdtempSync(join(tmpdir(), "wfctl-chaos-"));
  const root = join(directory, "cloud");
  const cloud = openDiskCloud(root);
  const kills = { host: 0, plugin: 0, both: 0 };
  const faults: string[] = [];
  try {
    let stack = randomStack(random, []);
    for (let kill = 0; kill < options.kills; kill += 1) {
      writeStack(directory, root, options, stack);
      const victim = random.pick(["host", "host", "plugin", "both"] as const);
      kills[victim] += 1;
      await applyAndKill(directory, options, random, victim);
      stack = randomStack(random, stack);
    }
    writeStack(directory, root, options, stack);
    const applies = await applyUntilQuiet(directory, options, faults);
    await judge(directory, options, cloud, stack, faults);
    return { kills, applies, resources: stack.length, faults };
  } finally {
    cloud.close();
    rmSync(directory, { recursive: true, force: true, maxRetries: 5 });
  }
}

interface Item {
  readonly name: string;
  /** Its replaces are create-first. */
  readonly createFirst: boolean;
  readonly value: number;
  readonly region: string;
  readonly parents: readonly string[];
}

/** The stack before with some resources gone, some changed, some replaced (by region) and some new. */
function randomStack(random: SeededRandom, before: readonly Item[]): Item[] {
  const kept = before.filter(() => !random.chance(0.15));
  const names = new Set(kept.map((item) => item.name));
  const changed = kept.map((item): Item => ({
    ...item,
    parents: item.parents.filter((parent) => names.has(parent)),
    ...(random.chance(0.3) ? { value: random.below(1000) } : {}),
    ...(random.chance(0.1) ? { region: random.pick(["r1", "r2", "r3"] as const) } : {}),
  }));
  const wanted = 6 + random.below(14);
  for (let index = 0; changed.length < wanted; index += 1) {
    const name = `r${index}`;
    if (names.has(name)) continue;
    names.add(name);
    const parents = changed.filter(() => random.chance(0.12)).map((item) => item.name);
    changed.push({ name, createFirst: random.chance(0.3), value: random.below(1000), region: "r1", parents });
  }
  return changed;
}

function writeStack(directory: string, root: string, options: ChaosOptions, stack: readonly Item[]): void {
  const lines = [
    "name: chaos",
    "modules:",
    "  - name: cloud",
    "    type: iac.provider",
    `    config: {provider: ${options.provider}, root: "${root}", latency_ms: 8}`,
  ];
  for (const { name, createFirst, value, region, parents } of stack) {
    const references = parents.map((parent) => `"\${${parent}.id}"`).join(", ");
    lines.push(
      `  - name: ${name}`,
      "    type: infra.test",
      ...(createFirst && options.provider === "cloud" ? ["    lifecycle: {replace: create-first}"] : []),
      `    config: {value: "v${value}", region: ${region}, parents: [${references}]}`,
    );
  }
  writeFileSync(join(directory, "infra.yaml"), `${lines.join("\n")}\n`);
}

async function applyAndKill(
  directory: string,
  options: ChaosOptions,
  random: SeededRandom,
  victim: "host" | "plugin" | "both",
): Promise<void> {
  const child = start(directory, options, ["apply", "-y", "--json"]);
  const ended = new Promise<void>((resolve) => child.once("close", () => resolve()));
  // Most kills fall into the run itself, some into what comes before it.
  if (random.chance(0.85)) await Promise.race([says(child, '"run-started"'), ended]);
  await Promise.race([pause(random.below(160)), ended]);
  const host = child.pid ?? -1;
  const plugins = childrenOf(host);
  if (victim !== "host") for (const pid of plugins) kill(pid);
  if (victim !== "plugin") kill(host);
  await ended;
}

/** The moments to kill at are real time: its randomness is what this test is about. */
function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

async function applyUntilQuiet(directory: string, options: ChaosOptions, faults: string[]): Promise<number> {
  for (let applies = 1; applies <= 6; applies += 1) {
    const apply = await run(directory, options, ["apply", "-y"]);
    // The stacks are random: of some changes there is no order in one run. Then all goes first.
    if (apply.stderr.includes("(CYCLE)")) await run(directory, options, ["destroy", "-y"]);
    if (apply.code !== 0) continue;
    const plan = await run(directory, options, ["plan", "--detailed-exitcode"]);
    if (plan.code === 0) return applies;
  }
  const last = await run(directory, options, ["apply", "-y"]);
  faults.push(`the stack does not come to rest: ${last.stdout.slice(-1500)}${last.stderr.slice(-1500)}`);
  return 6;
}

/** The cloud equals the state, the state equals the stack, the journal is sound, and nothing is left running. */
async function judge(
  directory: string,
  options: ChaosOptions,
  cloud: DiskCloud,
  stack: readonly Item[],
  faults: string[],
): Promise<void> {
  const list = await run(directory, options, ["state", "list", "--json"]);
  const { records } = JSON.parse(list.stdout) as { records?: { name: string; type: string; providerId: string }[] };
  if (records === undefined) {
    faults.push(`the state cannot be listed: ${list.stdout}${list.stderr}`);
    return;
  }
  const inState = records.map(({ name, providerId }) => `${name} ${providerId}`).toSorted();
  const inCloud = cloud
    .objects()
    .map(({ name, id }) => `${name} ${id}`)
    .toSorted();
  const wanted = stack.map(({ name }) => name).toSorted();
  if (inState.join() !== inCloud.join()) {
    faults.push(`the cloud is not what the state says: state [${inState.join(", ")}], cloud [${inCloud.join(", ")}]`);
  }
  if (
    records
      .map(({ name }) => name)
      .toSorted()
      .join() !== wanted.join()
  ) {
    faults.push(`the state is not what the stack says: ${records.map(({ name }) => name).join()} and ${wanted.join()}`);
  }
  const twice = cloud
    .objects()
    .filter((object, index, all) => all.findIndex((other) => other.name === object.name) !== index);
  for (const { name } of twice) faults.push(`"${name}" is there twice`);
  const doctor = await run(directory, options, ["state", "doctor"]);
  if (doctor.code !== 0) faults.push(`the doctor finds: ${doctor.stdout}${doctor.stderr}`);
  const pids = new Set(cloud.calls().map((call) => call.pid));
  for (const pid of pids) if (!(await endsSoon(pid))) faults.push(`plugin process ${pid} is still running`);
}

function start(directory: string, options: ChaosOptions, args: readonly string[]): ChildProcess {
  const [program, ...first] = options.command;
  const { CI: _ci, WFCTL_KEY: _key, ...env } = process.env;
  return spawn(program, [...first, ...args], {
    cwd: directory,
    env: {
      ...env,
      XDG_CONFIG_HOME: join(directory, "config"),
      XDG_CACHE_HOME: join(tmpdir(), "wfctl-chaos-cache"),
      WFCTL_PLUGIN_DIR: options.pluginDir ?? testPluginDir,
      NO_COLOR: "1",
    },
    stdio: ["ignore", "pipe", "pipe"],
  });
}

function run(
  directory: string,
  options: ChaosOptions,
  args: readonly string[],
): Promise<{ code: number | null; stdout: string; stderr: string }> {
  const child = start(directory, options, args);
  const timer = setTimeout(() => child.kill("SIGKILL"), limitMs);
  let stdout = "";
  let stderr = "";
  child.stdout?.on("data", (chunk: Buffer) => (stdout += chunk.toString()));
  child.stderr?.on("data", (chunk: Buffer) => (stderr += chunk.toString()));
  return new Promise((resolve) => {
    child.once("close", (code) => {
      clearTimeout(timer);
      resolve({ code, stdout, stderr });
    });
  });
}

function says(child: ChildProcess, text: string): Promise<void> {
  let seen = "";
  return new Promise((resolve) => {
    child.stdout?.on("data", (chunk: Buffer) => {
      seen += chunk.toString();
      if (seen.includes(text)) resolve();
    });
    child.stderr?.resume();
  });
}

function childrenOf(parent: number): number[] {
  return readdirSync("/proc")
    .map(Number)
    .filter((pid) => Number.isInteger(pid) && parentOf(pid) === parent);
}

function parentOf(pid: number): number | undefined {
  return Number(statOf(pid)?.[1]);
}

/** A plugin looks for its host twice a second: it may outlive a killed one for a moment. */
async function endsSoon(pid: number): Promise<boolean> {
  for (const until = performance.now() + endsWithinMs; performance.now() < until; await pause(20)) {
    if (!isPlugin(pid)) return true;
  }
  return false;
}

/** False too where the number is another process's by now. */
function isPlugin(pid: number): boolean {
  const state = statOf(pid)?.[0];
  if (state === undefined || state === "Z" || state === "X") return false;
  try {
    return readFileSync(`/proc/${pid}/cmdline`, "utf8").includes("cloud-plugin");
  } catch {
    return false;
  }
}

/** Fields of /proc/PID/stat from the state on. */
function statOf(pid: number): string[] | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
    return stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  } catch {
    return undefined;
  }
}

function kill(pid: number): void {
  try {
    process.kill(pid, "SIGKILL");
  } catch {
    // It was faster.
  }
}
