import { Script } from "node:vm";
import { expect, test } from "vitest";
import { withSmallHeap } from "./small-heap.ts";

/** V8 takes code that was compiled under the flags that stand, and of a source of the same length. */
function createProbe(): () => boolean {
  const cachedData = new Script("probe(1000)").createCachedData();
  let count = 1000;
  return () => new Script(`probe(${(count += 1)})`, { cachedData }).cachedDataRejected === false;
}

test("the flag stands while a run of many resources goes on, and is put back after it", async () => {
  const isTaken = createProbe();
  expect(isTaken()).toBe(true);
  expect(await withSmallHeap(10_000, async () => Promise.resolve(isTaken()))).toBe(false);
  expect(isTaken()).toBe(true);
});

test("the flag is put back after a run that fails", async () => {
  const isTaken = createProbe();
  await expect(withSmallHeap(10_000, () => Promise.reject(new Error("failed")))).rejects.toThrow("failed");
  expect(isTaken()).toBe(true);
});

test("a run of few resources is left alone", async () => {
  const isTaken = createProbe();
  expect(await withSmallHeap(100, async () => Promise.resolve(isTaken()))).toBe(true);
});
