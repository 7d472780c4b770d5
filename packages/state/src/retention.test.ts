import { expect, test } from "vitest";
import { runsToDrop } from "./retention.ts";

const day = (count: number) => new Date(Date.UTC(2026, 0, 1) + count * 86_400_000).toISOString();
const now = Date.parse(day(100));
const closedOn = (...days: readonly number[]) => days.map((count) => ({ closedAt: day(count) }));

test("what is beyond the count is dropped, the oldest first", () => {
  const runs = closedOn(90, 91, 92, 93);
  expect(runsToDrop(runs, now, { runs: 3, days: 90 })).toEqual(runs.slice(0, 1));
});

test("what closed too long ago is dropped, whatever the count", () => {
  const runs = closedOn(1, 5, 9, 11, 50);
  expect(runsToDrop(runs, now, { runs: 50, days: 90 })).toEqual(runs.slice(0, 3));
});

test("the newest run always stays", () => {
  expect(runsToDrop(closedOn(1, 2), now, { runs: 0, days: 1 })).toEqual(closedOn(1));
  expect(runsToDrop([], now)).toEqual([]);
});
