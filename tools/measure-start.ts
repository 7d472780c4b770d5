/**
 * How long `wfctl version` takes beside a bare `node -e 0`, in turns, medians in milliseconds: npm run measure:start
 * Uses the bundle as it is: build first.
 */
import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const bin = fileURLToPath(new URL("../node_modules/.bin", import.meta.url));
const rounds = 60;

const commands: Readonly<Record<string, readonly [file: string, ...args: string[]]>> = {
  "node -e 0": [process.execPath, "-e", "0"],
  "sh, exec node -e 0": ["/bin/sh", "-c", 'exec "$0" -e 0', process.execPath],
  "wfctl version": [join(bin, "../../apps/cli/bin/wfctl"), "version"],
  "node_modules/.bin/wfctl version": [join(bin, "wfctl"), "version"],
};

const samples = new Map<string, number[]>();
for (let round = -2; round < rounds; round += 1) {
  for (const [name, [file, ...args]] of Object.entries(commands)) {
    const from = performance.now();
    const { status } = spawnSync(file, args, { stdio: "ignore", timeout: 10_000 });
    if (status !== 0) throw new Error(`Cannot measure "${name}": it ended with ${status}, expected 0`);
    if (round >= 0) samples.set(name, [...(samples.get(name) ?? []), performance.now() - from]);
  }
}

const medians = [...samples].map(
  ([name, times]) => [name, times.toSorted((a, b) => a - b)[times.length >> 1] ?? 0] as const,
);
const bare = medians[0]?.[1] ?? 0;
for (const [name, median] of medians)
  console.log(`${name.padEnd(34)}${median.toFixed(1)} ms  ${(median / bare).toFixed(2)} x`);
