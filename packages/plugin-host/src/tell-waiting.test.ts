import { expect, test } from "vitest";

import { createCallNotice } from "./tell-waiting.ts";

/** Collects what is told, and resolves `first` with the first line. */
function listener() {
  const lines: string[] = [];
  const first = Promise.withResolvers<string>();
  const tell = (line: string): void => {
    lines.push(line);
    first.resolve(line);
  };
  return { lines, first: first.promise, waiting: { afterMs: 1, tell } };
}

test("calls of one plugin that are late at the same time are told in one line, with the bound of the first", async () => {
  const { lines, first, waiting } = listener();
  const notice = createCallNotice(waiting, '"cloud" 1.0.0');
  const work = Promise.withResolvers<string>();
  const calls = ["a", "b", "c"].map((name) => notice(work.promise, `Read of "${name}"`, 120_000));
  expect(await first).toBe('Plugin "cloud" 1.0.0 has not answered Read of "a" yet: it has up to 120 s');
  // Timers of one length end in the order they were set: the other two have ended with this one.
  await new Promise((resolve) => {
    setTimeout(resolve, waiting.afterMs);
  });
  work.resolve("done");
  expect(await Promise.all(calls)).toEqual(["done", "done", "done"]);
  expect(lines).toHaveLength(1);
});

test("a call in time is told nowhere, and its failure is passed on", async () => {
  const { lines, waiting } = listener();
  const notice = createCallNotice({ ...waiting, afterMs: 60_000 }, "p");
  await expect(notice(Promise.reject(new Error("no")), "Read", 1)).rejects.toThrow("no");
  expect(lines).toEqual([]);
});
