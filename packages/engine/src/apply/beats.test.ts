import { expect, test } from "vitest";
import { createVirtualClock } from "@wfctl/testkit";
import { createBeats } from "./beats.ts";

test("each call beats every ten seconds from its own start, for as long as it goes on", async () => {
  const clock = createVirtualClock();
  const beats = createBeats(clock);
  const began = clock.now();
  const heard: string[] = [];
  const hear = (name: string) => beats(() => heard.push(`${name} ${(clock.now() - began) / 1000}`));
  const stopFirst = hear("first");
  await clock.sleep(4000);
  const stopSecond = hear("second");
  await clock.sleep(21_000);
  stopFirst();
  await clock.sleep(12_000);
  stopSecond();
  expect(heard).toEqual(["first 10", "second 14", "first 20", "second 24", "second 34"]);
});

test("nobody sleeps once no call is open, and the next call is heard again", async () => {
  const clock = createVirtualClock();
  const beats = createBeats(clock);
  beats(() => undefined)();
  expect(clock.sleepers()).toBe(0);
  const began = clock.now();
  const heard: number[] = [];
  const stop = beats(() => {
    heard.push(clock.now() - began);
    stop();
  });
  while (clock.sleepers() > 0) await clock.sleep(1000);
  expect(heard).toEqual([10_000]);
});

test("a call that begins where the last one ended is heard at its own time", async () => {
  const clock = createVirtualClock();
  const beats = createBeats(clock);
  const began = clock.now();
  const heard: number[] = [];
  const stopFirst = beats(() => heard.push(-1));
  await clock.sleep(9000);
  stopFirst();
  const stop = beats(() => heard.push(clock.now() - began));
  await clock.sleep(12_000);
  stop();
  expect(heard).toEqual([19_000]);
});
