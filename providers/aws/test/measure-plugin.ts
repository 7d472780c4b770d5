/**
 * What the built plugin costs: its start beside bare Node's, and its memory with four services in use and with all.
 *
 *   npm run measure -w providers/aws [-- ROUNDS]      builds first; default: 15 starts, 3 measurements of memory
 *
 * A start ends with the handshake line; its figures are the fastest of all rounds, and medians, which depend on what else
 * the machine is at. Memory is the median of the resident set of the whole process after
 * real work against moto (four types made, looked at, listed and deleted; the others listed), and the highest ever.
 */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { pluginEnvironment } from "@wfctl/contract";
import type { JsonObject } from "@wfctl/model";
import { drive, type Plugin } from "@wfctl/testkit/drive";
import { startMoto } from "./testing/moto.ts";
import { startPlugin } from "./testing/plugin.ts";
import { startProxy } from "./testing/proxy.ts";

/** Greatest that is allowed: milliseconds beyond bare Node, and megabytes. */
const bounds = { startMs: 200, fourServicesMb: 120, allServicesMb: 200 };
const folder = join(import.meta.dirname, "..");
const rounds = Number(process.argv[2] ?? 15);
const memoryRounds = Math.min(rounds, 3);

/** EC2, S3, IAM and RDS, beside STS; configurations that stand alone. */
const four: Readonly<Record<string, JsonObject>> = {
  "infra.vpc": { subnets: { a: { cidr: "10.0.0.0/24" } } },
  "infra.storage": { versioning: true },
  "infra.iam_role": {},
  "infra.database": { master_password: "long-enough" },
};
/** Types that are listed only: the services are loaded and answer. */
const others = [
  "infra.api_gateway",
  "infra.autoscaling_group",
  "infra.cache",
  "infra.certificate",
  "infra.container_service",
  "infra.dns",
  "infra.firewall",
  "infra.k8s_cluster",
  "infra.load_balancer",
  "infra.registry",
];

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[values.length >> 1] ?? Number.NaN;
}

async function timeNode(): Promise<number> {
  const from = performance.now();
  await once(spawn(process.execPath, ["-e", "0"], { stdio: "ignore" }), "exit");
  return performance.now() - from;
}

async function timePlugin(): Promise<number> {
  const from = performance.now();
  const child = spawn(join(folder, "aws"), [], {
    env: { ...process.env, ...pluginEnvironment },
    stdio: ["ignore", "pipe", "ignore"],
  });
  const exited = once(child, "exit");
  await once(createInterface(child.stdout), "line");
  const ms = performance.now() - from;
  child.kill("SIGKILL");
  await exited;
  return ms;
}

function residentMb({ child }: Plugin, what: "VmRSS" | "VmHWM"): number {
  const status = readFileSync(`/proc/${child.pid}/status`, "utf8");
  return Number(new RegExp(`${what}:\\s+(\\d+)`).exec(status)?.[1]) / 1024;
}

async function useFour(plugin: Plugin): Promise<void> {
  for (const [type, config] of Object.entries(four)) {
    const driver = drive(() => plugin, type);
    const name = `measured-${process.pid}`;
    const { providerId } = await driver.create(name, config, { token: `${type} ${process.pid}` });
    await driver.read(name, providerId);
    await driver.list();
    await driver.delete(name, providerId);
  }
}

async function measureMemory(endpoint: string, secret: string): Promise<Record<string, number>> {
  const plugin = await startPlugin({
    region: "us-east-1",
    access_key_id: "AKIAMEASUREMEASUREME",
    secret_access_key: secret,
    endpoint,
    limit_rates: false,
  });
  try {
    const start = residentMb(plugin, "VmRSS");
    await useFour(plugin);
    const fourServices = residentMb(plugin, "VmRSS");
    const fourPeak = residentMb(plugin, "VmHWM");
    for (const type of others) await drive(() => plugin, type).list();
    const allPeak = residentMb(plugin, "VmHWM");
    return { start, fourServices, fourPeak, allServices: residentMb(plugin, "VmRSS"), allPeak };
  } finally {
    await plugin.kill();
  }
}

async function measureStart(): Promise<{ node: number; plugin: number; medianMore: number }> {
  const [node, plugin]: [number[], number[]] = [[], []];
  // The first start fills the compile cache.
  await timePlugin();
  for (let round = 0; round < rounds; round += 1) {
    node.push(await timeNode());
    plugin.push(await timePlugin());
  }
  return { node: Math.min(...node), plugin: Math.min(...plugin), medianMore: median(plugin) - median(node) };
}

if (!existsSync(join(folder, "dist/main.js"))) throw new Error("The plugin is not built: run npm run build");
const start = await measureStart();
const secret = "secret";
const proxy = await startProxy({
  target: await startMoto(),
  accountId: String(process.pid).padStart(12, "2"),
  secrets: new Map([["AKIAMEASUREMEASUREME", secret]]),
});
const measured: Record<string, number>[] = [];
for (let round = 0; round < memoryRounds; round += 1) measured.push(await measureMemory(proxy.url, secret));
await proxy.close();
const memory = (key: string): number => median(measured.map((each) => each[key] ?? Number.NaN));

const rows: [what: string, value: number, unit: string, bound?: number][] = [
  ["bare Node", start.node, "ms"],
  ["plugin until its handshake", start.plugin, "ms"],
  ["more than bare Node", start.plugin - start.node, "ms", bounds.startMs],
  ["  median", start.medianMore, "ms"],
  ["memory, configured", memory("start"), "MB"],
  ["memory, four services used", memory("fourServices"), "MB", bounds.fourServicesMb],
  ["  highest until then", memory("fourPeak"), "MB"],
  ["memory, all services used", memory("allServices"), "MB", bounds.allServicesMb],
  ["  highest until then", memory("allPeak"), "MB"],
];
for (const [what, value, unit, bound] of rows) {
  const verdict = bound === undefined ? "" : value <= bound ? `  (bound ${bound})` : `  ABOVE THE BOUND OF ${bound}`;
  console.log(`${what.padEnd(30)} ${value.toFixed(0).padStart(5)} ${unit}${verdict}`);
}
process.exitCode = rows.some(([, value, , bound]) => bound !== undefined && value > bound) ? 1 : 0;
process.exit();
