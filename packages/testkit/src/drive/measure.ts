import { spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { createInterface } from "node:readline";
import { pluginEnvironment } from "@wfctl/contract";
import type { Plugin } from "./start-plugin.ts";

/** A measured value, and the greatest that is allowed. */
export type MeasuredRow = readonly [what: string, value: number, unit: string, bound?: number];

/** Milliseconds: the fastest start of bare Node and of the plugin, and by how much their medians differ. */
export interface StartTimes {
  readonly node: number;
  readonly plugin: number;
  readonly medianMore: number;
}

export function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[values.length >> 1] ?? Number.NaN;
}

/** Starts a plugin until its handshake and bare Node until its end, in turn. */
export async function measureStart(
  launcher: string,
  rounds: number,
  environment: Readonly<Record<string, string>> = {},
): Promise<StartTimes> {
  const [node, plugin]: [number[], number[]] = [[], []];
  // The first four keep what they have compiled, once they have ended by themselves.
  for (let warmUp = 0; warmUp < 4; warmUp += 1) await timePlugin(launcher, environment);
  for (let round = 0; round < rounds; round += 1) {
    node.push(await timeNode());
    plugin.push(await timePlugin(launcher, environment));
  }
  return { node: Math.min(...node), plugin: Math.min(...plugin), medianMore: median(plugin) - median(node) };
}

async function timeNode(): Promise<number> {
  const from = performance.now();
  await once(spawn(process.execPath, ["-e", "0"], { stdio: "ignore" }), "exit");
  return performance.now() - from;
}

async function timePlugin(launcher: string, environment: Readonly<Record<string, string>>): Promise<number> {
  const from = performance.now();
  const child = spawn(launcher, [], {
    env: { ...process.env, ...pluginEnvironment, ...environment },
    stdio: ["ignore", "pipe", "ignore"],
  });
  const exited = once(child, "exit");
  await once(createInterface(child.stdout), "line");
  const ms = performance.now() - from;
  child.kill("SIGTERM");
  await exited;
  return ms;
}

/** Megabytes of a plugin's process, now or at the highest. Linux only. */
export function residentMb({ child }: Plugin, what: "VmRSS" | "VmHWM"): number {
  const status = readFileSync(`/proc/${child.pid}/status`, "utf8");
  return Number(new RegExp(`${what}:\\s+(\\d+)`).exec(status)?.[1]) / 1024;
}

/** The rows that tell of the start. */
export function startRows(start: StartTimes, boundMs: number): MeasuredRow[] {
  return [
    ["bare Node", start.node, "ms"],
    ["plugin until its handshake", start.plugin, "ms"],
    ["more than bare Node", start.plugin - start.node, "ms", boundMs],
    ["  median", start.medianMore, "ms"],
  ];
}

/** Prints what was measured. True where no value is above its bound. */
export function printMeasured(rows: readonly MeasuredRow[]): boolean {
  for (const [what, value, unit, bound] of rows) {
    const verdict = bound === undefined ? "" : value <= bound ? `  (bound ${bound})` : `  ABOVE THE BOUND OF ${bound}`;
    console.log(`${what.padEnd(30)} ${value.toFixed(0).padStart(5)} ${unit}${verdict}`);
  }
  return !rows.some(([, value, , bound]) => bound !== undefined && value > bound);
}
