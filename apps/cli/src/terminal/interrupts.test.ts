import { EventEmitter } from "node:events";
import { expect, onTestFinished, test, vi } from "vitest";
import { Interrupted } from "./interrupted.ts";
import { watchInterrupts } from "./interrupts.ts";

class Exited extends Error {}

function process_(env: Readonly<Record<string, string>> = {}) {
  const signals = new EventEmitter();
  const codes: number[] = [];
  return {
    env,
    signals: signals as never,
    send: (name: string) => signals.emit(name),
    listeners: () =>
      signals.listenerCount("SIGINT") + signals.listenerCount("SIGTERM") + signals.listenerCount("SIGHUP"),
    codes,
    exit(code: number): never {
      codes.push(code);
      throw new Exited();
    },
  };
}

test.each([
  ["SIGINT", 130],
  ["SIGTERM", 143],
  ["SIGHUP", 129],
])("the first %s aborts and gives exit code %d, the second exits at once", (name, code) => {
  const fake = process_();
  let first = 0;
  using interrupts = watchInterrupts(fake, { first: () => (first += 1), shutdown: () => {} });
  expect(interrupts.exitCode).toBeUndefined();
  interrupts.throwIfInterrupted();

  fake.send(name);
  expect(interrupts.signal.aborted).toBe(true);
  expect(interrupts.exitCode).toBe(code);
  expect(first).toBe(1);
  expect(fake.codes).toEqual([]);
  expect(() => interrupts.throwIfInterrupted()).toThrow(Interrupted);

  expect(() => fake.send("SIGINT")).toThrow(Exited);
  expect(fake.codes).toEqual([code]);
  expect(first).toBe(1);
});

test("once it is over no signal is caught any more", () => {
  const fake = process_();
  {
    using _interrupts = watchInterrupts(fake, { first: () => {}, shutdown: () => {} });
    expect(fake.listeners()).toBe(3);
  }
  expect(fake.listeners()).toBe(0);
});

test.each([
  [{}, 4000, 4500, 10_000],
  [{ WFCTL_TEST_INTERRUPT: "20,40,60" }, 20, 40, 60],
  [{ WFCTL_TEST_INTERRUPT: "60,40,20" }, 4000, 4500, 10_000],
])(
  "with %j calls are given up, plugins ended and the process left after %d, %d and %d ms",
  (env, giveUpMs, shutdownMs, exitMs) => {
    vi.useFakeTimers();
    onTestFinished(() => void vi.useRealTimers());
    const fake = process_(env);
    let shutdowns = 0;
    using interrupts = watchInterrupts(fake, { first: () => {}, shutdown: () => (shutdowns += 1) });
    expect(interrupts.giveUpMs).toBe(giveUpMs);
    fake.send("SIGINT");
    vi.advanceTimersByTime(shutdownMs - 1);
    expect(shutdowns).toBe(0);
    vi.advanceTimersByTime(exitMs - shutdownMs);
    expect([shutdowns, fake.codes]).toEqual([1, []]);
    expect(() => vi.advanceTimersByTime(1)).toThrow(Exited);
    expect(fake.codes).toEqual([130]);
  },
);
