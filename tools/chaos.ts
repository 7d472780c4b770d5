/**
 * Kills the built CLI and its plugin at random, as often as told, and checks each time that nothing was lost:
 *   npm run chaos -- [--kills 1000] [--seed 1] [--provider cloud|upstreamlike]
 */
import { join } from "node:path";
import { parseArgs } from "node:util";
import { runChaos } from "../test/crash/chaos.ts";

const { values } = parseArgs({
  options: {
    kills: { type: "string", default: "1000" },
    seed: { type: "string", default: "1" },
    provider: { type: "string", default: "cloud" },
  },
});
const launcher = join(import.meta.dirname, "../apps/cli/bin/wfctl");
const wanted = Number(values.kills);
const perStory = 5;
const total = { host: 0, plugin: 0, both: 0 };
let failed = 0;
let seed = Number(values.seed);
for (let done = 0; done < wanted; done += perStory, seed += 1) {
  const report = await runChaos({
    seed,
    kills: Math.min(perStory, wanted - done),
    command: [launcher],
    provider: values.provider === "upstreamlike" ? "upstreamlike" : "cloud",
  });
  total.host += report.kills.host;
  total.plugin += report.kills.plugin;
  total.both += report.kills.both;
  for (const fault of report.faults) process.stdout.write(`seed ${seed}: ${fault}\n`);
  if (report.faults.length > 0) failed += 1;
  if (seed % 20 === 0) process.stdout.write(`${done + perStory} kills, ${failed} stories failed\n`);
}
process.stdout.write(
  `${total.host + total.plugin + total.both} kills (${total.host} of the host, ${total.plugin} of the plugin, ${total.both} of both): ${failed} stories failed\n`,
);
process.exitCode = failed === 0 ? 0 : 1;
