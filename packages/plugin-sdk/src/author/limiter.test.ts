import { describe, expect, test } from "vitest";
import { createVirtualClock } from "../testdata/virtual-clock.ts";
import { createLimiter, type Limiter } from "./limiter.ts";

/** Starts calls that wait, and counts those that went out. */
function startCalls(limiter: Limiter, count: number): { done(): number } {
  let done = 0;
  for (let call = 0; call < count; call += 1) void limiter.acquire().then(() => (done += 1));
  return { done: () => done };
}

describe("limiter", () => {
  test("lets a burst out at once and the rest at the rate", async () => {
    const clock = createVirtualClock();
    const calls = startCalls(createLimiter({ ratePerSecond: 10, burst: 5 }, clock), 30);
    await clock.advance(0);
    expect(calls.done()).toBe(5);
    await clock.advance(1000);
    expect(calls.done()).toBe(15);
    await clock.advance(1500);
    expect(calls.done()).toBe(30);
  });

  test("a pause does not save up more than a burst", async () => {
    const clock = createVirtualClock();
    const limiter = createLimiter({ ratePerSecond: 10, burst: 5 }, clock);
    await clock.advance(60_000);
    const calls = startCalls(limiter, 20);
    await clock.advance(0);
    expect(calls.done()).toBe(5);
  });

  test("halves its rate when throttled, as far as the floor, and recovers bit by bit", async () => {
    const clock = createVirtualClock();
    const limiter = createLimiter({ ratePerSecond: 16, minRatePerSecond: 4, recoverPerSecond: 1 }, clock);
    limiter.throttled();
    expect(limiter.rate()).toBe(8);
    for (let time = 0; time < 5; time += 1) limiter.throttled();
    expect(limiter.rate()).toBe(4);
    await clock.advance(3000);
    expect(limiter.rate()).toBeCloseTo(7);
    await clock.advance(60_000);
    expect(limiter.rate()).toBe(16);
  });

  test("sends nothing before the time that the API named", async () => {
    const clock = createVirtualClock();
    const limiter = createLimiter({ ratePerSecond: 100 }, clock);
    limiter.throttled(5000);
    const calls = startCalls(limiter, 10);
    await clock.advance(4999);
    expect(calls.done()).toBe(0);
    await clock.advance(1000);
    expect(calls.done()).toBe(10);
  });

  test("of those that wait, the highest priority goes first, then the longest waiting", async () => {
    const clock = createVirtualClock();
    const limiter = createLimiter({ ratePerSecond: 1, burst: 1 }, clock);
    const order: string[] = [];
    await limiter.acquire();
    for (const [name, priority] of [
      ["a", 1],
      ["b", 1],
      ["c", 3],
      ["d", 2],
    ] as const) {
      void limiter.acquire({ priority }).then(() => order.push(name));
    }
    await clock.advance(5000);
    expect(order).toEqual(["c", "d", "a", "b"]);
  });

  test("a priority that changes while its call waits counts as it is when its turn may come", async () => {
    const clock = createVirtualClock();
    const limiter = createLimiter({ ratePerSecond: 1, burst: 1 }, clock);
    const order: string[] = [];
    await limiter.acquire();
    const priorities = { a: 1, b: 2 };
    for (const name of ["a", "b"] as const) {
      void limiter.acquire({ priority: () => priorities[name] }).then(() => order.push(name));
    }
    await clock.advance(500);
    priorities.a = 3;
    await clock.advance(2000);
    expect(order).toEqual(["a", "b"]);
  });

  test("a caller that gives up leaves the queue and takes no turn", async () => {
    const clock = createVirtualClock();
    const limiter = createLimiter({ ratePerSecond: 1, burst: 1 }, clock);
    await limiter.acquire();
    const abort = new AbortController();
    const left = limiter.acquire({ signal: abort.signal });
    const calls = startCalls(limiter, 1);
    abort.abort(new Error("enough"));
    await expect(left).rejects.toThrow("enough");
    await clock.advance(1000);
    expect(calls.done()).toBe(1);
    await expect(limiter.acquire({ signal: abort.signal })).rejects.toThrow("enough");
  });

  test("says how long it will take, once, and only when it takes any time", async () => {
    const clock = createVirtualClock();
    const limiter = createLimiter({ ratePerSecond: 2, burst: 1 }, clock);
    const waits: number[] = [];
    const onWait = (ms: number): void => void waits.push(ms);
    await limiter.acquire({ onWait });
    expect(waits).toEqual([]);
    void limiter.acquire({ onWait });
    void limiter.acquire({ onWait });
    await clock.advance(5000);
    expect(waits).toEqual([500, 1000]);
  });
});
