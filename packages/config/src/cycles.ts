/** Circles among names, each as the names along it: one for each group of names that reach one another. Linear. */
export function findCircles(edges: ReadonlyMap<string, ReadonlySet<string>>): string[][] {
  const index = new Map<string, number>();
  const low = new Map<string, number>();
  const onStack = new Set<string>();
  const stack: string[] = [];
  const circles: string[][] = [];

  for (const root of edges.keys()) {
    if (index.has(root)) continue;
    const work: { readonly name: string; readonly next: Iterator<string> }[] = [];
    const enter = (name: string): void => {
      index.set(name, index.size);
      low.set(name, index.get(name) ?? 0);
      stack.push(name);
      onStack.add(name);
      work.push({ name, next: (edges.get(name) ?? new Set<string>()).values() });
    };
    enter(root);
    for (let top = work.at(-1); top !== undefined; top = work.at(-1)) {
      const step = top.next.next();
      if (step.done !== true) {
        if (!index.has(step.value)) enter(step.value);
        else if (onStack.has(step.value))
          low.set(top.name, Math.min(low.get(top.name) ?? 0, index.get(step.value) ?? 0));
        continue;
      }
      work.pop();
      const parent = work.at(-1);
      if (parent !== undefined) low.set(parent.name, Math.min(low.get(parent.name) ?? 0, low.get(top.name) ?? 0));
      if (low.get(top.name) !== index.get(top.name)) continue;
      const group = stack.splice(stack.lastIndexOf(top.name));
      for (const name of group) onStack.delete(name);
      if (group.length > 1 || edges.get(top.name)?.has(top.name) === true)
        circles.push(walkCircle(new Set(group), edges));
    }
  }
  return circles;
}

/** Follows edges inside the group until a name comes again. */
function walkCircle(group: ReadonlySet<string>, edges: ReadonlyMap<string, ReadonlySet<string>>): string[] {
  const path: string[] = [];
  const position = new Map<string, number>();
  let [name] = group;
  while (name !== undefined && !position.has(name)) {
    position.set(name, path.length);
    path.push(name);
    name = [...(edges.get(name) ?? [])].find((next) => group.has(next));
  }
  return name === undefined ? path : path.slice(position.get(name));
}
