import { expect, test } from "vitest";
import { createTurns } from "./turns.ts";

const { signal } = new AbortController();

test("work of one key runs one after the other, other keys at once", async () => {
  const turns = createTurns();
  const seen: string[] = [];
  const gate = Promise.withResolvers<void>();
  const work = (name: string, until?: Promise<void>) => async () => {
    seen.push(`${name} begins`);
    await until;
    seen.push(`${name} ends`);
    return name;
  };
  const first = turns.take("a", signal, work("first", gate.promise));
  const second = turns.take("a", signal, work("second"));
  expect(await turns.take("b", signal, work("other"))).toBe("other");
  gate.resolve();
  expect(await Promise.all([first, second])).toEqual(["first", "second"]);
  expect(seen.filter((line) => !line.startsWith("other"))).toEqual([
    "first begins",
    "first ends",
    "second begins",
    "second ends",
  ]);
});

test("a failure ends a turn, and so does giving up the wait, which lets nobody pass", async () => {
  const turns = createTurns();
  const gate = Promise.withResolvers<void>();
  let isOver = false;
  const first = turns.take("a", signal, async () => {
    await gate.promise;
    isOver = true;
    throw new Error("failed");
  });
  first.catch(() => {});
  const impatient = new AbortController();
  const second = turns.take("a", impatient.signal, () => Promise.reject(new Error("must not run")));
  const third = turns.take("a", signal, () => Promise.resolve(isOver));
  impatient.abort(new Error("given up"));
  await expect(second).rejects.toThrow("given up");
  gate.resolve();
  await expect(first).rejects.toThrow("failed");
  expect(await third).toBe(true);
});
