/**
 * For each node, the weight of the heaviest chain of nodes that waits for it, itself included. `weightOf` is positive.
 * Nodes with heavier tails go first where slots or API rates are short.
 */
export function tailWeights(after: readonly (readonly number[])[], weightOf: (node: number) => number): Float64Array {
  const count = after.length;
  const open = new Uint32Array(count);
  for (const dependencies of after) {
    for (const dependency of dependencies) open[dependency] = (open[dependency] as number) + 1;
  }
  const tails = new Float64Array(count);
  const ready: number[] = [];
  for (let node = 0; node < count; node += 1) if (open[node] === 0) ready.push(node);
  while (ready.length > 0) {
    const node = ready.pop() as number;
    tails[node] = (tails[node] as number) + weightOf(node);
    for (const dependency of after[node] as readonly number[]) {
      tails[dependency] = Math.max(tails[dependency] as number, tails[node] as number);
      open[dependency] = (open[dependency] as number) - 1;
      if (open[dependency] === 0) ready.push(dependency);
    }
  }
  return tails;
}
