import { execFile } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";

const tool = join(import.meta.dirname, "check-exchanges.ts");
const content = { "application/json": { schema: { type: "object", required: ["name"], properties: { name: {} } } } };
const description = {
  openapi: "3.0.0",
  paths: { "/things": { post: { operationId: "make", requestBody: { content }, responses: { 201: { content } } } } },
};
const exchange = { method: "POST", path: "/things", query: "", operation: "make", status: 201 };

/** Runs the tool on a log of these exchanges. */
async function check(exchanges: readonly object[]): Promise<{ code: number; said: string }> {
  const folder = await mkdtemp(join(tmpdir(), "exchanges-"));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  const log = join(folder, "log.jsonl");
  await writeFile(join(folder, "openapi.json"), JSON.stringify(description));
  await writeFile(join(folder, "notes.json"), "{}");
  await writeFile(log, exchanges.map((each) => `${JSON.stringify(each)}\n`).join(""));
  return new Promise((resolve) => {
    execFile(process.execPath, [tool, folder, log], (error, stdout, stderr) =>
      resolve({ code: error === null ? 0 : Number(error.code), said: stdout + stderr }),
    );
  });
}

test("a log that keeps to the description passes; one that does not, or holds nothing, fails and says where", async () => {
  const good = { ...exchange, request: { name: "a" }, response: { name: "a" } };
  expect(await check([good])).toMatchObject({ code: 0, said: expect.stringContaining("1 exchanges checked, 0 kinds") });
  expect(await check([good, { ...good, request: {} }])).toMatchObject({
    code: 1,
    said: expect.stringContaining("POST /things: request /body must have required property 'name'"),
  });
  expect((await check([])).code).toBe(1);
});
