import { expect, test } from "vitest";
import { createRuns } from "./runs.ts";

test("Stop of a run reaches its calls in all configurations, those that come late included", () => {
  const runs = createRuns();
  const [first, named, other] = [runs.enter("r", ""), runs.enter("r", "a"), runs.enter("s", "a")];
  runs.stop("r", "");
  expect([first.aborted, named.aborted, other.aborted]).toEqual([true, true, false]);
  expect(runs.enter("r", "b").aborted).toBe(true);
});

test("Stop of a run in one configuration leaves the others alone", () => {
  const runs = createRuns();
  const [a, b, unnamed] = [runs.enter("r", "a"), runs.enter("r", "b"), runs.enter("r", "")];
  runs.stop("r", "a");
  expect([a.aborted, b.aborted, unnamed.aborted]).toEqual([true, false, false]);
  runs.leave("r", "a");
  expect(runs.enter("r", "a").aborted).toBe(true);
  expect(runs.enter("r", "b").aborted).toBe(false);
});
