/** Nodes that wait for each other, as a path that ends where it began; undefined where there is an order. */
export function findCircle(after: readonly (readonly number[])[]): number[] | undefined {
  const state = new Uint8Array(after.length);
  for (let root = 0; root < after.length; root += 1) {
    if (state[root] !== 0) continue;
    // An explicit stack: chains of 50,000 must not overflow the call stack.
    const stack: { node: number; next: number }[] = [{ node: root, next: 0 }];
    state[root] = 1;
    while (stack.length > 0) {
      const top = stack.at(-1) as { node: number; next: number };
      const before = (after[top.node] as readonly number[])[top.next];
      top.next += 1;
      if (before === undefined) {
        state[top.node] = 2;
        stack.pop();
      } else if (state[before] === 1) {
        const path = stack.map((entry) => entry.node);
        return [...path.slice(path.indexOf(before)), before];
      } else if (state[before] === 0) {
        state[before] = 1;
        stack.push({ node: before, next: 0 });
      }
    }
  }
  return undefined;
}
