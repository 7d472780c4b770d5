import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { tailWeights } from "./critical-path.ts";
import { findCircle } from "./find-circle.ts";
import { createGate } from "./gate.ts";
import { createReadyQueue } from "./ready-queue.ts";
import { topologicalOrder } from "./topology.ts";

/** A graph whose nodes depend on lower numbers only. */
const acyclic = fc
  .array(fc.array(fc.nat(), { maxLength: 4 }), { maxLength: 30 })
  .map((rows) => rows.map((row, node) => (node === 0 ? [] : [...new Set(row.map((number) => number % node))])));

describe("topologicalOrder", () => {
  test("each comes after all it depends on, ties keep the given order", () => {
    fc.assert(
      fc.property(acyclic, (rows) => {
        const names = rows.map((_, node) => String(node));
        const order = topologicalOrder(names, (name) => (rows[Number(name)] ?? []).map(String));
        expect(order.toSorted()).toEqual(names.toSorted());
        for (const [node, row] of rows.entries())
          for (const before of row) expect(order.indexOf(String(before))).toBeLessThan(order.indexOf(String(node)));
      }),
    );
    expect(topologicalOrder(["c", "a", "b"], () => [])).toEqual(["c", "a", "b"]);
    expect(topologicalOrder(["a"], () => ["not-here"])).toEqual(["a"]);
  });

  test("a circle is an error that shows it", () => {
    const edges: Record<string, string[]> = { a: ["b"], b: ["c"], c: ["b"] };
    expect(() => topologicalOrder(["a", "b", "c"], (name) => edges[name] ?? [])).toThrow("b -> c -> b");
  });

  test("a chain of 50,000 does not overflow the stack", () => {
    const names = Array.from({ length: 50_000 }, (_, index) => String(index));
    expect(topologicalOrder(names, (name) => (name === "49999" ? [] : [String(Number(name) + 1)]))[0]).toBe("49999");
  });
});

describe("findCircle", () => {
  test("finds none where there is an order, and a true path where there is none", () => {
    fc.assert(
      fc.property(acyclic, (rows) => {
        expect(findCircle(rows)).toBeUndefined();
      }),
    );
    fc.assert(
      fc.property(fc.array(fc.array(fc.nat(9), { maxLength: 3 }), { minLength: 10, maxLength: 10 }), (rows) => {
        const circle = findCircle(rows);
        if (circle === undefined) return;
        expect(circle[0]).toBe(circle.at(-1));
        for (let step = 1; step < circle.length; step += 1) expect(rows[circle[step - 1]!]).toContain(circle[step]);
      }),
    );
    expect(findCircle([[0]])).toEqual([0, 0]);
  });
});

test("tailWeights adds up the heaviest chain that waits for each node", () => {
  const after = [[], [0], [1], [0], []];
  expect([...tailWeights(after, () => 1)]).toEqual([3, 2, 1, 1, 1]);
  expect([...tailWeights(after, (node) => (node === 3 ? 10 : 1))]).toEqual([11, 2, 1, 10, 1]);
});

test("the ready queue gives the highest priority first, ties by number", () => {
  fc.assert(
    fc.property(fc.array(fc.nat(5), { maxLength: 40 }), (priorities) => {
      const queue = createReadyQueue((node) => priorities[node] ?? 0);
      for (const node of priorities.keys()) queue.push(node);
      const out = Array.from({ length: queue.size() }, () => queue.pop()!);
      expect(out).toEqual([...priorities.keys()].toSorted((a, b) => priorities[b]! - priorities[a]! || a - b));
      expect(queue.pop()).toBeUndefined();
    }),
  );
});

test("the gate lets at most so many in, in the order they came, also when some fail", async () => {
  const gate = createGate(2);
  let open = 0;
  let most = 0;
  const seen: number[] = [];
  const work = Array.from({ length: 6 }, (_, index) =>
    gate(async () => {
      seen.push(index);
      most = Math.max(most, (open += 1));
      await Promise.resolve();
      open -= 1;
      if (index === 1) throw new Error("no");
    }).catch(() => undefined),
  );
  await Promise.all(work);
  expect([most, seen]).toEqual([2, [0, 1, 2, 3, 4, 5]]);
});
