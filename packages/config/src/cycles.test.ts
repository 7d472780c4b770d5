import { expect, test } from "vitest";
import { findCircles } from "./cycles.ts";

const graph = (edges: Record<string, string[]>): Map<string, Set<string>> =>
  new Map(Object.entries(edges).map(([name, next]) => [name, new Set(next)]));

test("a graph without circles has none", () => {
  expect(findCircles(graph({ a: ["b", "c"], b: ["d"], c: ["d"], d: [] }))).toEqual([]);
});

test("a name that leads to itself is a circle", () => {
  expect(findCircles(graph({ a: ["a"], b: ["a"] }))).toEqual([["a"]]);
});

test("a circle is given without what only leads into it", () => {
  const [circle, ...others] = findCircles(graph({ x: ["a"], a: ["b"], b: ["c"], c: ["a", "y"], y: [] }));
  expect(others).toEqual([]);
  expect(circle?.toSorted()).toEqual(["a", "b", "c"]);
});

test("every consecutive pair of a circle is an edge", () => {
  const edges = graph({ a: ["d", "b"], b: ["c"], c: ["a", "d"], d: ["b"] });
  for (const circle of findCircles(edges)) {
    for (const [index, name] of circle.entries()) {
      expect(edges.get(name)?.has(circle[(index + 1) % circle.length] ?? "")).toBe(true);
    }
  }
});

test("separate circles are separate", () => {
  expect(findCircles(graph({ a: ["b"], b: ["a"], c: ["d"], d: ["c", "a"] }))).toHaveLength(2);
});

test("a long chain does not overflow the stack", () => {
  const edges = new Map<string, Set<string>>();
  for (let index = 0; index < 50_000; index += 1) edges.set(`n${index}`, new Set([`n${(index + 1) % 50_000}`]));
  expect(findCircles(edges)[0]).toHaveLength(50_000);
});
