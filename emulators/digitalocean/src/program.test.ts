import { spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { expect, onTestFinished, test } from "vitest";

const program = join(import.meta.dirname, "../bin/digitalocean-emulator");

test("the program says where it listens, serves both addresses, and ends when it is asked to", async () => {
  const child = spawn(program, ["--port", "0", "--spaces-port", "0", "--token", "good"], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  onTestFinished(() => void child.kill("SIGKILL"));
  const lines = createInterface(child.stdout)[Symbol.asyncIterator]();
  const [, url = ""] = /^API (\S+)$/.exec(String((await lines.next()).value)) ?? [];
  const [, spaces = ""] = /^Spaces (\S+)$/.exec(String((await lines.next()).value)) ?? [];
  const call = (token: string) => fetch(`${url}/v2/regions`, { headers: { authorization: `Bearer ${token}` } });
  expect([(await call("good")).status, (await call("bad")).status]).toEqual([200, 401]);
  const unsigned = await fetch(`${spaces}/bucket`);
  expect([unsigned.status, await unsigned.text()]).toEqual([403, expect.stringContaining("AccessDenied")]);
  child.kill("SIGTERM");
  expect(await once(child, "exit")).toEqual([0, null]);
});

test("faults, lag and the rate come from the command line", async () => {
  const fault = '{"operation": "regions_list", "effect": "status", "status": 503}';
  const args = ["--port", "0", "--spaces-port", "0", "--rate-limit", "2", "--lag", "0", "--fault", fault];
  const child = spawn(program, args, { stdio: ["ignore", "pipe", "inherit"] });
  onTestFinished(() => void child.kill("SIGKILL"));
  const lines = createInterface(child.stdout)[Symbol.asyncIterator]();
  const [, url = ""] = /^API (\S+)$/.exec(String((await lines.next()).value)) ?? [];
  const call = () => fetch(`${url}/v2/regions`, { headers: { authorization: "Bearer me" } });
  const statuses = [(await call()).status, (await call()).status, (await call()).status];
  expect(statuses).toEqual([503, 200, 429]);
});

test.each([
  [["--bogus"], "Unknown option '--bogus'"],
  [["--port", "high"], '--port is "high" and should be a number from 0 to 65535'],
  [["--fault", "drop"], "--fault is drop and should be JSON"],
  [["--fault", '{"effect": "burn"}'], "should be an object with an effect"],
])("a command line that makes no sense is refused in words: %j", async (args, words) => {
  const child = spawn(program, args, { stdio: ["ignore", "ignore", "pipe"] });
  let said = "";
  child.stderr.on("data", (chunk: Buffer) => (said += chunk.toString()));
  expect(await once(child, "close")).toEqual([1, null]);
  expect(said).toContain(words);
  expect(said).toContain("--help");
  expect(said).not.toContain("\n    at ");
});
