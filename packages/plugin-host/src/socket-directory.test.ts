import { spawnSync } from "node:child_process";
import { mkdtempSync, readdirSync, rmSync, utimesSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test, vi } from "vitest";
import { socketDirectory, sweepDeadSockets } from "./socket-directory.ts";

/** As a killed plugin leaves it. */
function leaveSocket(path: string): void {
  const program = `require("net").createServer().listen(${JSON.stringify(path)}, () => process.kill(process.pid, "SIGKILL"))`;
  spawnSync(process.execPath, ["-e", program]);
}

test("sockets of killed plugins are removed, those in use and those just made are not", async () => {
  const directory = mkdtempSync(join(tmpdir(), "sockets-"));
  const used = createServer((connection) => connection.destroy());
  onTestFinished(() => {
    used.close();
    rmSync(directory, { recursive: true, force: true });
  });
  const path = (name: string): string => join(directory, name);
  await new Promise<void>((resolve) => used.listen(path("used"), resolve));
  for (const name of ["dead", "young"]) leaveSocket(path(name));
  for (const name of ["used", "dead"]) utimesSync(path(name), 1_700_000_000, 1_700_000_000);
  expect(readdirSync(directory).toSorted()).toEqual(["dead", "used", "young"]);
  sweepDeadSockets(directory);
  await expect.poll(() => readdirSync(directory).toSorted()).toEqual(["used", "young"]);
  sweepDeadSockets(path("no such folder"));
});

test("where no folder can be made among the temporary files, /tmp is taken", () => {
  vi.stubEnv("TMPDIR", process.platform === "linux" ? "/proc/self/fd" : "/dev/null");
  onTestFinished(() => void vi.unstubAllEnvs());
  expect(socketDirectory()).toMatch(/^\/tmp\/wfctl-/);
});
