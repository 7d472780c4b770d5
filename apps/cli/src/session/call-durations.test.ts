import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, expect, test } from "vitest";
import { processContext, type Context } from "../context.ts";
import { keepDurations, recallDurations } from "./call-durations.ts";

const folder = mkdtempSync(join(tmpdir(), "wfctl-durations-"));
const context: Context = { ...processContext(), env: { XDG_CACHE_HOME: folder } };
afterEach(() => rmSync(folder, { recursive: true, force: true }));

test("what a run has learned is known to the next one", () => {
  const durations = recallDurations(context);
  expect(durations.expectedMs("aws", "infra.database", "create")).toBeUndefined();
  durations.note("aws", "infra.database", "create", 480_000);
  keepDurations(durations, context);
  expect(recallDurations(context).expectedMs("aws", "infra.database", "create")).toBe(480_000);
});

test("a file that is broken, and values that are no times, are passed over", () => {
  mkdirSync(join(folder, "wfctl"), { recursive: true });
  const file = join(folder, "wfctl/durations.json");
  writeFileSync(file, "{");
  expect(recallDurations(context).entries()).toEqual({});
  writeFileSync(file, JSON.stringify({ "a b create": -1, "c d create": "x", "e f create": 5 }));
  expect(recallDurations(context).entries()).toEqual({ "e f create": 5 });
});

test("a cache that cannot be written is no failure", () => {
  writeFileSync(join(mkdtempAgain(), "wfctl"), "a file where the folder should be");
  const durations = recallDurations(context);
  durations.note("aws", "infra.database", "create", 1);
  expect(() => keepDurations(durations, context)).not.toThrow();
  expect(recallDurations(context).entries()).toEqual({});
});

function mkdtempAgain(): string {
  mkdirSync(folder, { recursive: true });
  return folder;
}
