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
