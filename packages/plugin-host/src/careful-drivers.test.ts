import type { CallOptions, Clock, LiveObject, Ref } from "@wfctl/engine";
import { ProviderError } from "@wfctl/model";
import { describe, expect, test } from "vitest";

import { createCarefulDrivers } from "./careful-drivers.ts";
import type { Drivers } from "./drivers.ts";

const ref: Ref = { name: "a", type: "infra.thing", providerId: "id-1" };
const spec = { name: "a", type: "infra.thing", config: {}, dependsOn: [] };
const options: CallOptions = { timeoutMs: 120_000, run: "run-1" };
const object: LiveObject = { ...ref, outputs: {}, sensitive: [], status: "running" };

/** Drivers whose Reads answer in turn, the last one for ever; sleeping takes no time. */
function careful(reads: readonly (LiveObject | "absent" | ProviderError)[], more: { updated?: LiveObject } = {}) {
  const calls: string[] = [];
  let nowMs = 1_000;
  const clock: Clock = {
    now: () => nowMs,
    sleep(ms, signal) {
      nowMs += ms;
      return signal?.aborted === true ? Promise.reject(signal.reason) : Promise.resolve();
    },
  };
  let count = 0;
  const drivers: Drivers = {
    create: () => Promise.resolve(object),
    read(asked, { timeoutMs }) {
      calls.push(`read ${asked.providerId}`);
      expect(timeoutMs).toBeGreaterThan(0);
      const answer = reads[Math.min(count++, reads.length - 1)];
      if (answer instanceof ProviderError) return Promise.reject(answer);
      return Promise.resolve(answer === "absent" ? undefined : answer);
    },
    update: () => Promise.resolve(more.updated ?? object),
    delete() {
      calls.push("delete");
      return Promise.resolve();
    },
    diff: () => Promise.resolve({ needsUpdate: false, needsReplace: false, changes: [] }),
    lookup: () => Promise.resolve(undefined),
  };
  const declares = (type: string): boolean => type === "infra.declared";
  return { drivers: createCarefulDrivers(drivers, { clock, declares }), calls, elapsedMs: () => nowMs - 1_000 };
}

const failureOf = (call: Promise<unknown>): Promise<unknown> =>
  call.then(
    (value) => Promise.reject(new Error(`It succeeded with ${JSON.stringify(value)}`)),
    (error: unknown) => error,
  );

describe("an object with an id", () => {
  test("that one Read does not find is looked for again", async () => {
    const { drivers, calls } = careful(["absent", object]);
    expect(await drivers.read(ref, options)).toBe(object);
    expect(calls).toHaveLength(2);
  });

  test("is gone once two Reads do not find it", async () => {
    const { drivers, calls } = careful(["absent"]);
    expect(await drivers.read(ref, options)).toBeUndefined();
    expect(calls).toHaveLength(2);
  });

  test("is not called gone when the second Read fails, or was cancelled", async () => {
    const failed = new ProviderError("transient", "try later", { answered: true });
    expect(await failureOf(careful(["absent", failed]).drivers.read(ref, options))).toBe(failed);
    const signal = AbortSignal.abort();
    const cancelled = careful(["absent"]).drivers.read(ref, { ...options, signal });
    expect(await failureOf(cancelled)).toMatchObject({ class: "cancelled" });
  });
});

test("a name without an id is asked for once", async () => {
  const { drivers, calls } = careful(["absent"]);
  expect(await drivers.read({ ...ref, providerId: "" }, options)).toBeUndefined();
  expect(calls).toHaveLength(1);
});

describe("a delete that is confirmed", () => {
  test.each([
    ["gone", "absent"],
    ["going", { ...object, status: "Deleting" }],
    ["another object, which has its name", { ...object, providerId: "id-2" }],
    ["not to be read", new ProviderError("unsupported", "no Read")],
  ] as const)("is believed where the object is %s", async (_what, answer) => {
    const { drivers, calls } = careful([answer]);
    await drivers.delete(ref, options);
    expect(calls).toEqual(["delete", "read id-1"]);
  });

  test("is waited for where the object goes later", async () => {
    const { drivers, calls, elapsedMs } = careful([object, object, "absent"]);
    await drivers.delete(ref, options);
    expect(calls).toHaveLength(4);
    expect(elapsedMs()).toBeLessThan(30_000);
  });

  test("is a bad reply where the object stays", async () => {
    const { drivers, elapsedMs } = careful([object]);
    const error = await failureOf(drivers.delete(ref, options));
    expect(error).toMatchObject({ class: "bad_reply", answered: true });
    expect(String(error)).toContain("Read still finds the object (id id-1)");
    expect(elapsedMs()).toBeLessThanOrEqual(30_000);
  });

  test("is not waited for beyond the time of the call", async () => {
    const { drivers, elapsedMs } = careful([object]);
    expect(await failureOf(drivers.delete(ref, { ...options, timeoutMs: 2_000 }))).toMatchObject({
      class: "bad_reply",
    });
    expect(elapsedMs()).toBeLessThanOrEqual(2_000);
  });

  test("is believed on its word for a type that the plugin declares", async () => {
    const { drivers, calls } = careful([object]);
    await drivers.delete({ ...ref, type: "infra.declared" }, options);
    expect(calls).toEqual(["delete"]);
  });
});

describe("an update that is answered with another id", () => {
  const updated = { ...object, providerId: "id-2" };

  test("is believed where a Read finds the object there", async () => {
    const { drivers, calls } = careful([updated], { updated });
    expect(await drivers.update(ref, spec, options)).toBe(updated);
    expect(calls).toEqual(["read id-2"]);
  });

  test.each([
    ["nothing", "absent", "finds no such object"],
    ["another object", { ...updated, name: "b" }, "finds another object"],
    ["an object with another id", object, "finds another object"],
    ["an error", new ProviderError("forbidden", "not yours"), "not yours"],
  ] as const)("is a bad reply where a Read finds %s", async (_what, answer, told) => {
    const { drivers } = careful([answer], { updated });
    const error = await failureOf(drivers.update(ref, spec, options));
    expect(error).toMatchObject({ class: "bad_reply", answered: true });
    expect(String(error)).toContain(told);
  });

  test("costs nothing where the id is the same or left out", async () => {
    for (const providerId of ["id-1", ""]) {
      const { drivers, calls } = careful([object], { updated: { ...object, providerId } });
      await drivers.update(ref, spec, options);
      expect(calls).toEqual([]);
    }
  });
});
