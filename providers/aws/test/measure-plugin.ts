/**
 * What the built plugin costs: its start beside bare Node's, and its memory with four services in use and with all.
 *
 *   npm run measure -w providers/aws [-- ROUNDS]      builds first; default: 15 starts, 3 measurements of memory
 *
 * A start ends with the handshake line; its figures are the fastest of all rounds, and medians, which depend on what else
 * the machine is at. Memory is the median of the resident set of the whole process after
 * real work against moto (four types made, looked at, listed and deleted; the others listed), and the highest ever.
 */
import { existsSync } from "node:fs";
import { join } from "node:path";
import type { JsonObject } from "@wfctl/model";
import {
  drive,
  measureStart,
  median,
  printMeasured,
  residentMb,
  startRows,
  type MeasuredRow,
  type Plugin,
} from "@wfctl/testkit/drive";
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

if (!existsSync(join(folder, "dist/main.js"))) throw new Error("The plugin is not built: run npm run build");
const start = await measureStart(join(folder, "aws"), rounds);
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

const rows: MeasuredRow[] = [
  ...startRows(start, bounds.startMs),
  ["memory, configured", memory("start"), "MB"],
  ["memory, four services used", memory("fourServices"), "MB", bounds.fourServicesMb],
  ["  highest until then", memory("fourPeak"), "MB"],
  ["memory, all services used", memory("allServices"), "MB", bounds.allServicesMb],
  ["  highest until then", memory("allPeak"), "MB"],
];
process.exitCode = printMeasured(rows) ? 0 : 1;
process.exit();
