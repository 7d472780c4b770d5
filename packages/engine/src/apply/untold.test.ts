import { createTestStack, scriptFaults, wanted, type TestStack } from "@wfctl/testkit";
import { describe, expect, test } from "vitest";
import type { Hooks } from "../ports/index.ts";

const a = wanted("a", { count: 1 });

/** What a listener was told, and the hooks that tell it. */
function listen(): { readonly told: string[]; readonly hooks: Hooks } {
  const told: string[] = [];
  return {
    told,
    hooks: {
      onResourceApplied: async (run, action, record) =>
        void told.push(`${run} ${action} applied ${record.name} ${record.providerId}`),
      onResourceDeleted: async (run, action, name) => void told.push(`${run} ${action} deleted ${name}`),
    },
  };
}

async function owed(stack: TestStack): Promise<number> {
  return (await stack.state()).hooksOwed.length;
}

describe("an object that is recorded with an error, and that the next plan finds as wanted, is told once", () => {
  test("of a create that met the resource's own object", async () => {
    const { told, hooks } = listen();
    const stack = createTestStack({ cloud: { uniqueNames: true }, provider: { features: { finalizer: false } } });
    stack.cloud
      .account("main")
      .outside.create({ name: "a", type: "infra.item", inputs: { count: 1 }, owner: "lineage-1/a" });
    expect((await stack.apply([a], { hooks })).ends).toEqual({ a: "ERROR/ALREADY_EXISTS" });
    expect([told, await owed(stack)]).toEqual([[], 1]);
    await stack.apply([a], { hooks });
    expect((await stack.record("a"))?.mark).toBeUndefined();
    expect([told, await owed(stack)]).toEqual([["run-1 0 applied a item-1"], 0]);
    await stack.apply([a], { hooks });
    expect(told).toHaveLength(1);
  });

  test("of a create whose process died, found incomplete and complete by then", async () => {
    const { told, hooks } = listen();
    const stack = createTestStack({
      provider: {
        features: { finalizer: false },
        types: { "infra.item": { lookup: true } },
        faults: scriptFaults([
          { operation: "create", nth: 1, fault: { goes: { wrong: "partial", class: "unknown" } } },
        ]),
      },
    });
    await stack.applyUntil((point) => point.at === "effect" && point.effect.kind === "created", [a], { hooks });
    await stack.recover({ hooks });
    expect((await stack.record("a"))?.mark).toBeDefined();
    expect([told, await owed(stack)]).toEqual([["run-1 0 applied a item-1"], 0]);
  });

  test("where its hook fails it stays owed", async () => {
    const { told, hooks } = listen();
    const failing: Hooks = { onResourceApplied: () => Promise.reject(new Error("not now")) };
    const stack = createTestStack({ cloud: { uniqueNames: true }, provider: { features: { finalizer: false } } });
    stack.cloud
      .account("main")
      .outside.create({ name: "a", type: "infra.item", inputs: { count: 1 }, owner: "lineage-1/a" });
    await stack.apply([a], { hooks: failing });
    await stack.apply([a], { hooks: failing });
    expect(await owed(stack)).toBe(1);
    await stack.apply([a], { hooks });
    expect([told, await owed(stack)]).toEqual([["run-1 0 applied a item-1"], 0]);
  });

  test("without anybody who listens nothing is owed", async () => {
    const stack = createTestStack({ cloud: { uniqueNames: true }, provider: { features: { finalizer: false } } });
    stack.cloud
      .account("main")
      .outside.create({ name: "a", type: "infra.item", inputs: { count: 1 }, owner: "lineage-1/a" });
    await stack.apply([a]);
    expect(await owed(stack)).toBe(0);
  });
});
