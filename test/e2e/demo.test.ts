import { spawn } from "node:child_process";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";

const demo = fileURLToPath(new URL("../../tools/demo.ts", import.meta.url));

test("the demo runs from nothing to nothing, with a SIGKILL in the middle", async () => {
  const child = spawn(process.execPath, [demo], { stdio: ["ignore", "pipe", "pipe"] });
  let said = "";
  child.stdout.on("data", (chunk: Buffer) => (said += chunk.toString()));
  child.stderr.on("data", (chunk: Buffer) => (said += chunk.toString()));
  const code = await new Promise((resolve) => child.once("close", resolve));
  expect(code, said).toBe(0);
  expect(said).toContain("create slow of run");
  expect(said).toContain("Nothing of it is left on this machine.");
});
