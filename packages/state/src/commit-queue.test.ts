import { WfctlError } from "@wfctl/model";
import { expect, test } from "vitest";
import { createCommitQueue } from "./commit-queue.ts";

/** A write that ends when it is told to. */
function controlled() {
  const groups: (readonly string[])[] = [];
  const pending: { resolve: () => void; reject: (error: Error) => void }[] = [];
  const queue = createCommitQueue<string>((group) => {
    groups.push(group);
    return new Promise((resolve, reject) => {
      pending.push({ resolve: () => resolve(group.map((item) => item.length)), reject });
    });
  });
  return { queue, groups, pending };
}

const turn = () => new Promise((resolve) => setImmediate(resolve));

test("items pushed together are written together, those pushed meanwhile form the next group", async () => {
  const { queue, groups, pending } = controlled();
  const first = [queue.push("a"), queue.push("bb")];
  await turn();
  const second = [queue.push("ccc"), queue.push("dddd")];
  await turn();
  expect(groups).toEqual([["a", "bb"]]);
  pending[0]!.resolve();
  expect(await Promise.all(first)).toEqual([1, 2]);
  await turn();
  expect(groups).toEqual([
    ["a", "bb"],
    ["ccc", "dddd"],
  ]);
  pending[1]!.resolve();
  expect(await Promise.all(second)).toEqual([3, 4]);
  await queue.idle();
});

test("a group that fails takes everything after it along, and nothing before it", async () => {
  const { queue, groups, pending } = controlled();
  const good = queue.push("good");
  await turn();
  const bad = queue.push("bad");
  pending[0]!.resolve();
  expect(await good).toBe(4);
  await turn();
  const waiting = queue.push("waiting");
  pending[1]!.reject(new Error("disk full"));
  const results = await Promise.allSettled([bad, waiting, queue.push("late")]);
  expect(results.map((result) => result.status)).toEqual(["rejected", "rejected", "rejected"]);
  expect(results[2]).toMatchObject({ reason: { code: "STORE_UNAVAILABLE", message: "disk full" } });
  expect(groups).toEqual([["good"], ["bad"]]);
});

test("a queue that was told to fail still writes what it had", async () => {
  const { queue, pending } = controlled();
  const early = queue.push("early");
  queue.fail(new WfctlError("LEASE_LOST", "gone"));
  await expect(queue.push("late")).rejects.toMatchObject({ code: "LEASE_LOST" });
  await turn();
  pending[0]!.resolve();
  expect(await early).toBe(5);
});
