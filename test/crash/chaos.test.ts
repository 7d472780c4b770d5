import { expect, test } from "vitest";
import { findCliProgram } from "../e2e/lib/cli-program.ts";
import { runChaos } from "./chaos.ts";

const command = [process.execPath, "--disable-warning=ExperimentalWarning", findCliProgram()] as const;

test.each([11, 12, 13])(
  "nothing is lost, doubled or orphaned when host and plugin are killed at random (seed %i)",
  async (seed) => {
    const report = await runChaos({ seed, kills: 4, command, provider: "cloud" });
    expect(report.faults).toEqual([]);
    expect(report.kills.host + report.kills.plugin + report.kills.both).toBe(4);
  },
);
