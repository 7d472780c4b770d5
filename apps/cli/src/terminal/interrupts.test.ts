import { EventEmitter } from "node:events";
import { expect, test } from "vitest";
import { Interrupted } from "./interrupted.ts";
import { watchInterrupts } from "./interrupts.ts";

class Exited extends Error {}

function process_() {
  const signals = new EventEmitter();
  const codes: number[] = [];
  return {
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
