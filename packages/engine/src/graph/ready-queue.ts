/** A binary heap of node numbers: highest priority first, ties by the lower number. */
export function createReadyQueue(priority: (node: number) => number): {
  readonly size: () => number;
  readonly push: (node: number) => void;
  readonly pop: () => number | undefined;
  /** To be called when priorities have changed. */
  readonly reorder: () => void;
} {
  const heap: number[] = [];
  const before = (a: number, b: number): boolean => {
    const difference = priority(a) - priority(b);
    return difference === 0 ? a < b : difference > 0;
  };
  const swap = (i: number, j: number): void => {
    const held = heap[i] as number;
    heap[i] = heap[j] as number;
    heap[j] = held;
  };
  return {
    size: () => heap.length,
    // What is sorted is a heap.
    reorder: () => void heap.sort((a, b) => (before(a, b) ? -1 : 1)),
    push(node) {
      heap.push(node);
      let child = heap.length - 1;
      while (child > 0) {
        const parent = (child - 1) >> 1;
        if (!before(heap[child] as number, heap[parent] as number)) break;
        swap(child, parent);
        child = parent;
      }
    },
    pop() {
      if (heap.length === 0) return undefined;
      swap(0, heap.length - 1);
      const top = heap.pop();
      let parent = 0;
      for (;;) {
        const left = 2 * parent + 1;
        const right = left + 1;
        let best = parent;
        if (left < heap.length && before(heap[left] as number, heap[best] as number)) best = left;
        if (right < heap.length && before(heap[right] as number, heap[best] as number)) best = right;
        if (best === parent) return top;
        swap(parent, best);
        parent = best;
      }
    },
  };
}
