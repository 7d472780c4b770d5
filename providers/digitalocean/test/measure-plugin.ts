/**
 * What the packed plugin costs: its start beside bare Node's, and its memory after real work.
 *
 *   npm run measure -w providers/digitalocean [-- ROUNDS]      packs first; default: 15 starts, 3 measurements of memory
 *
 * A start ends with the handshake line; its figures are the fastest of all rounds, and medians, which depend on what else
 * the machine is at. Memory is the median of the resident set of the whole process after work against the emulator (one
 * object of each type made, read, listed and deleted), and the highest ever.
 */
import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, dirname, join } from "node:path";
import { createDigitalOceanService, startDigitalOcean } from "@wfctl/emulator-digitalocean";
import type { JsonObject } from "@wfctl/model";
import {
  drive,
  measureStart,
  median,
  printMeasured,
  residentMb,
  startRows,
  type MeasuredRow,
} from "@wfctl/testkit/drive";
import { startPlugin } from "./testing/plugin.ts";

/** Greatest that is allowed: milliseconds beyond bare Node, and megabytes. */
const bounds = { startMs: 200, memoryMb: 115 };
const home = mkdtempSync(join(tmpdir(), "do-measure-"));
/** The Node of this process for the launcher, which finds none beside the packed plugin. */
const path = [dirname(process.execPath), process.env["PATH"]].join(delimiter);
const program = await unpack();
const rounds = Number(process.argv[2] ?? 15);
const memoryRounds = Math.min(rounds, 3);
const token = "dop_v1_measured";

/** Configurations that stand alone. */
const types: Readonly<Record<string, readonly [name: string, config: JsonObject]>> = {
  "infra.vpc": ["net", {}],
  "infra.firewall": ["fence", { inbound_rules: [{ ports: "443" }] }],
  "infra.dns": ["example.net", { records: [{ type: "A", data: "203.0.113.1" }] }],
  "infra.load_balancer": ["front", {}],
  "infra.droplet": ["box", {}],
  "infra.volume": ["disk", { size_gb: 10 }],
  "infra.database": ["shop-db", {}],
  "infra.cache": ["shop-cache", {}],
  "infra.k8s_cluster": ["cluster", { node_count: 1 }],
  "infra.container_service": ["web", { image: "docker.io/library/nginx:1" }],
  "infra.registry": ["images", {}],
  "infra.spaces_key": ["key", { grants: [{ permission: "fullaccess" }] }],
  "infra.storage": ["bucket", { versioning: true }],
};

async function unpack(): Promise<string> {
  const { packAll } = (await import("../../../tools/pack.mjs" as string)) as {
    packAll(out: string, options: { only: readonly string[] }): Promise<string[]>;
  };
  const [tarball = ""] = await packAll(join(home, "packages"), { only: ["digitalocean"] });
  const folder = join(home, "digitalocean");
  mkdirSync(folder);
  execFileSync("tar", ["-xzf", tarball, "-C", folder, "--strip-components=1"]);
  return join(folder, "digitalocean");
}

async function measureMemory(config: JsonObject): Promise<Record<string, number>> {
  const plugin = await startPlugin(config, { PATH: path }, program);
  try {
    const start = residentMb(plugin, "VmRSS");
    for (const [type, [name, own]] of Object.entries(types)) {
      const driver = drive(() => plugin, type);
      const { providerId } = await driver.create(name, own, { token: `${type} ${process.pid}` });
      await driver.read(name, providerId);
      await driver.list();
      await driver.delete(name, providerId);
    }
    return { start, used: residentMb(plugin, "VmRSS"), peak: residentMb(plugin, "VmHWM") };
  } finally {
    await plugin.kill();
  }
}

const start = await measureStart(program, rounds, { PATH: path });
const emulator = await startDigitalOcean({ service: createDigitalOceanService(), rate: 5000 });
const made = await fetch(`${emulator.url}/v2/spaces/keys`, {
  method: "POST",
  headers: { authorization: `Bearer ${token}`, "content-type": "application/json" },
  body: JSON.stringify({ name: "measure", grants: [{ bucket: "", permission: "fullaccess" }] }),
});
const { key } = (await made.json()) as { key: { access_key: string; secret_key: string } };
const config = {
  token,
  endpoint: emulator.url,
  spaces_endpoint: emulator.spacesUrl,
  spaces_access_key: key.access_key,
  spaces_secret_key: key.secret_key,
  limit_rates: false,
};
const measured: Record<string, number>[] = [];
for (let round = 0; round < memoryRounds; round += 1) measured.push(await measureMemory(config));
await emulator.close();
rmSync(home, { recursive: true, force: true });
const memory = (what: string): number => median(measured.map((each) => each[what] ?? Number.NaN));

const rows: MeasuredRow[] = [
  ...startRows(start, bounds.startMs),
  ["memory, configured", memory("start"), "MB"],
  ["memory, 13 types used", memory("used"), "MB", bounds.memoryMb],
  ["  highest until then", memory("peak"), "MB", bounds.memoryMb],
];
process.exitCode = printMeasured(rows) ? 0 : 1;
process.exit();
