import { describe, expect, test } from "vitest";
import { openCall } from "../calls/create-context.ts";
import { createVirtualClock } from "../testdata/virtual-clock.ts";
import type { CallContext } from "./context.ts";
import { createLog } from "./log.ts";
import { waitFor } from "./wait-for.ts";

function begin() {
  const clock = createVirtualClock();
  const stop = new AbortController();
  const cancel = new AbortController();
  const reports: [string, boolean][] = [];
  const { context } = openCall(
    { client: undefined, identity: async () => ({ identity: "" }), limiter: () => undefined, log: createLog(() => {}) },
    {
      instance: "",
      run: "r",
      clientToken: "",
      owner: "",
      priority: 0,
      deadline: undefined,
      signal: cancel.signal,
      extended: true,
      onProgress: (message, waiting) => reports.push([message, waiting]),
    },
    { clock, log: createLog(() => {}), stopping: stop.signal, defaultTimeoutMs: 3_600_000 },
  );
  return { clock, stop, cancel, reports, context };
}

const wait = (context: CallContext<unknown>, check: () => Promise<string | undefined>) =>
  waitFor(context, { describe: "the paint to dry", everyMs: 100, timeoutMs: 1000, check });

describe("waitFor", () => {
  test("checks until the value is there, reporting that it waits and that it is done", async () => {
    const { clock, context, reports } = begin();
    let checks = 0;
    const value = wait(context, async () => ((checks += 1) === 4 ? "dry" : undefined));
    await clock.advance(1000);
    expect(await value).toBe("dry");
    expect(reports).toEqual([
      ["Waiting for the paint to dry", true],
      ["Got the paint to dry", false],
    ]);
  });

  test("a value that is there at once is given without a report", async () => {
    const { context, reports } = begin();
    expect(await wait(context, async () => "dry")).toBe("dry");
    expect(reports).toEqual([]);
  });

  test("ends as deadline when its time is over", async () => {
    const { clock, context } = begin();
    const value = wait(context, async () => undefined);
    value.catch(() => {});
    await clock.advance(2000);
    await expect(value).rejects.toMatchObject({ class: "deadline", message: /1 s in vain for the paint/ });
  });

  test("a stopped run gets one last check, then the wait ends", async () => {
    const { clock, context, stop } = begin();
    let checks = 0;
    const value = wait(context, async () => void (checks += 1));
    value.catch(() => {});
    await clock.advance(150);
    expect(checks).toBe(2);
    stop.abort();
    await clock.advance(0);
    await expect(value).rejects.toMatchObject({ class: "cancelled", message: /stopped.*the paint to dry/ });
    expect(checks).toBe(3);
  });

  test("the last check of a stopped run may still find the value", async () => {
    const { clock, context, stop } = begin();
    const value = wait(context, async () => (stop.signal.aborted ? "dry" : undefined));
    await clock.advance(50);
    stop.abort();
    expect(await value).toBe("dry");
  });

  test("a cancelled call ends it with the signal's reason", async () => {
    const { clock, context, cancel } = begin();
    const value = wait(context, async () => undefined);
    value.catch(() => {});
    await clock.advance(50);
    cancel.abort(new Error("gone"));
    await expect(value).rejects.toThrow("gone");
  });

  test("what the check throws ends it", async () => {
    const { context } = begin();
    await expect(wait(context, async () => Promise.reject(new Error("peeled off")))).rejects.toThrow("peeled off");
  });
});
