import { WfctlError } from "@wfctl/model";

/**
 * Order in which each item comes after all it depends on; stable: ties keep the given order.
 * `dependencies` may name items that are not in `names`; they are passed over. A circle is an error that shows it.
 */
export function topologicalOrder(names: readonly string[], dependencies: (name: string) => Iterable<string>): string[] {
  const known = new Set(names);
  const order: string[] = [];
  const state = new Map<string, "open" | "done">();
  for (const root of names) {
    if (state.has(root)) continue;
    // An explicit stack: chains of 50,000 must not overflow the call stack.
    const stack: { name: string; rest: Iterator<string> }[] = [];
    const open = (name: string): void => {
      state.set(name, "open");
      stack.push({ name, rest: dependencies(name)[Symbol.iterator]() });
    };
    open(root);
    while (stack.length > 0) {
      const top = stack.at(-1);
      if (top === undefined) break;
      const next = top.rest.next();
      if (next.done === true) {
        state.set(top.name, "done");
        order.push(top.name);
        stack.pop();
        continue;
      }
      const dependency = next.value;
      if (!known.has(dependency)) continue;
      const seen = state.get(dependency);
      if (seen === "done") continue;
      if (seen === "open") {
        const names = stack.map((entry) => entry.name);
        const circle = [...names.slice(names.indexOf(dependency)), dependency];
        throw new WfctlError("CYCLE", `Resources depend on each other in a circle: ${circle.join(" -> ")}`, {
          address: dependency,
          hint: "Remove one of these depends_on entries or references",
        });
      }
      open(dependency);
    }
  }
  return order;
}
