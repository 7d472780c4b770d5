/**
 * For each node, the number of nodes on the longest chain that waits for it, itself included.
 * Nodes with longer tails go first where slots or API rates are short.
 */
export function tailLengths(after: readonly (readonly number[])[]): Uint32Array {
  const count = after.length;
  const dependents: number[][] = Array.from({ length: count }, () => []);
  const open = new Uint32Array(count);
  for (const [node, dependencies] of after.entries()) {
    for (const dependency of dependencies) {
      (dependents[dependency] as number[]).push(node);
      open[dependency] = (open[dependency] as number) + 1;
    }
  }
  const tails = new Uint32Array(count).fill(1);
  const ready: number[] = [];
  for (let node = 0; node < count; node += 1) if (open[node] === 0) ready.push(node);
  while (ready.length > 0) {
    const node = ready.pop() as number;
    for (const dependency of after[node] as readonly number[]) {
      tails[dependency] = Math.max(tails[dependency] as number, (tails[node] as number) + 1);
      open[dependency] = (open[dependency] as number) - 1;
      if (open[dependency] === 0) ready.push(dependency);
    }
  }
  return tails;
}
