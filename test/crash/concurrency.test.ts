import { setTimeout as sleep } from "node:timers/promises";
import { hasReached, writeFaults } from "@wfctl/testkit";
import { describe, expect, test } from "vitest";
import { createSandbox, elsewhereProblem, type Finished, type Sandbox } from "../e2e/lib/sandbox.ts";
import { waitUntil } from "../e2e/lib/wait-until.ts";

const leaseHeld = 3;
const stack = `
  - {name: a, type: infra.test, config: {value: one}}
  - {name: b, type: infra.test, config: {value: "\${a.id}"}}
`;

/** Applies until the lease is free; the expiry of 30 s bounds it. */
async function applyWhenFree(box: Sandbox): Promise<{ readonly refused: number; readonly last: Finished }> {
  for (let refused = 0; ; refused += 1) {
    const last = await box.run("apply", "-y");
    if (last.code !== leaseHeld || refused > 400) return { refused, last };
    await sleep(500);
  }
}

function names(box: Sandbox): string[] {
  return box.cloud
    .objects()
    .map(({ name }) => name)
    .toSorted();
}

test("of ten applies at once each runs alone or is refused, and every object is made once", async () => {
  const box = createSandbox();
  box.write(stack);
  const ended = await Promise.all(Array.from({ length: 10 }, () => box.run("apply", "-y")));
  const codes = ended.map(({ code }) => code);
  expect(codes.filter((code) => code === 0).length).toBeGreaterThan(0);
  expect(codes.filter((code) => code !== 0 && code !== leaseHeld)).toEqual([]);
  expect(names(box)).toEqual(["a", "b"]);
  expect(box.cloud.effects().filter(({ kind }) => kind === "created")).toHaveLength(2);
  expect((await box.run("state", "doctor")).code).toBe(0);
});

describe("a holder that does not answer", () => {
  test("is taken over once its lease runs out; continued, it writes nothing more", async () => {
    const box = createSandbox();
    box.write(stack);
    writeFaults(box.root, [{ operation: "create", name: "b", nth: 1, hold: "b-coming" }]);
    const stopped = box.start("apply", "-y");
    await waitUntil("b is about to be made", () => hasReached(box.root, "b-coming"));
    stopped.process.kill("SIGSTOP");
    const { refused, last } = await applyWhenFree(box);
    expect(refused).toBeGreaterThan(0);
    expect(last.code).toBe(0);
    expect(names(box)).toEqual(["a", "b"]);
    stopped.process.kill("SIGCONT");
    const { code } = await stopped.finished;
    expect(code).not.toBe(0);
    expect(names(box)).toEqual(["a", "b"]);
    // What it could not record any more is in its emergency file, and the journal knows better by now.
    expect((await box.run("state", "doctor", "--repair")).code).toBe(0);
    expect((await box.run("state", "doctor")).code).toBe(0);
    expect((await box.run("plan", "--detailed-exitcode")).code).toBe(0);
  }, 240_000);

  test.runIf(elsewhereProblem() === undefined)(
    "in another pid namespace cannot be seen to be dead, so its lease has to run out",
    async () => {
      const box = createSandbox();
      box.write(stack);
      writeFaults(box.root, [{ operation: "create", name: "b", nth: 1, hold: "b-coming" }]);
      const inside = box.startWith({ elsewhere: true }, "apply", "-y");
      await waitUntil("b is about to be made", () => hasReached(box.root, "b-coming"));
      inside.process.kill("SIGKILL");
      await inside.finished;
      const first = await box.run("apply", "-y");
      expect(first.code).toBe(leaseHeld);
      expect(first.stderr).toContain("LEASE_HELD");
      const { last } = await applyWhenFree(box);
      expect(last, `${last.stdout}${last.stderr}`).toMatchObject({ code: 0 });
      expect(names(box)).toEqual(["a", "b"]);
    },
    240_000,
  );

  test("that died on this machine is taken over at once", async () => {
    const box = createSandbox();
    box.write(stack);
    writeFaults(box.root, [{ operation: "create", name: "b", nth: 1, hold: "b-coming" }]);
    const killed = box.start("apply", "-y");
    await waitUntil("b is about to be made", () => hasReached(box.root, "b-coming"));
    killed.process.kill("SIGKILL");
    await killed.finished;
    const next = await box.run("apply", "-y");
    expect(next.code).toBe(0);
    expect(names(box)).toEqual(["a", "b"]);
  });
});
