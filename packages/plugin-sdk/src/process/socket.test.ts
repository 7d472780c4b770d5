import { spawnSync } from "node:child_process";
import { mkdtempSync, readdirSync, rmSync, utimesSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { sweepDeadSockets } from "./socket.ts";

/** As a killed plugin leaves it. */
function leaveSocket(path: string): string {
  const program = `require("net").createServer().listen(${JSON.stringify(path)}, () => process.kill(process.pid, "SIGKILL"))`;
  spawnSync(process.execPath, ["-e", program]);
  return path;
}

/** A number that no process can have. */
const nobody = 99_999_999;

test("sockets of killed plugins are removed; those in use, just made, or of another name are not", async () => {
  const directory = mkdtempSync(join(tmpdir(), "wfctl-sweep-"));
  const used = createServer((connection) => connection.destroy());
  onTestFinished(() => {
    used.close();
    rmSync(directory, { recursive: true, force: true });
  });
  const pathOf = (mark: string): string => join(directory, `wfctl-${nobody}-${mark.repeat(8)}.sock`);
  const [dead, young] = [leaveSocket(pathOf("a")), leaveSocket(pathOf("b"))];
  const foreign = leaveSocket(join(directory, "other.sock"));
  const [listening, file] = [pathOf("c"), pathOf("d")];
  await new Promise<void>((resolve) => used.listen(listening, resolve));
  writeFileSync(file, "");
  for (const path of [dead, foreign, listening, file]) utimesSync(path, 1_700_000_000, 1_700_000_000);
  const names = (...paths: readonly string[]): string[] =>
    paths.map((path) => path.slice(directory.length + 1)).toSorted();
  expect(readdirSync(directory).toSorted()).toEqual(names(dead, young, foreign, listening, file));
  sweepDeadSockets(join(directory, "wfctl-1-00000000.sock"));
  const left = names(young, foreign, listening, file);
  await expect.poll(() => readdirSync(directory).toSorted(), { timeout: 30_000 }).toEqual(left);
  sweepDeadSockets(join(directory, "no such folder", "wfctl-1-00000000.sock"));
});
