import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { runChaos } from "./chaos.ts";

const main = fileURLToPath(new URL("../../apps/cli/src/main.ts", import.meta.url));
const command = [process.execPath, "--disable-warning=ExperimentalWarning", main] as const;

test.each([11, 12, 13])(
  "nothing is lost, doubled or orphaned when host and plugin are killed at random (seed %i)",
  async (seed) => {
    const report = await runChaos({ seed, kills: 4, command, provider: "cloud" });
    expect(report.faults).toEqual([]);
    expect(report.kills.host + report.kills.plugin + report.kills.both).toBe(4);
  },
);
