export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length >> 1;
  if (sorted.length === 0) return Number.NaN;
  return sorted.length % 2 === 1
    ? (sorted[middle] as number)
    : ((sorted[middle - 1] as number) + (sorted[middle] as number)) / 2;
}

/**
 * Probability that two samples of the same thing differ in rank as much as these (two-sided Mann-Whitney U test, exact
 * by enumeration: samples here are small).
 */
export function rankTest(before: readonly number[], after: readonly number[]): number {
  const observed = rankSum(before, after);
  const expected = (before.length * (before.length + after.length + 1)) / 2;
  const distance = Math.abs(observed - expected);
  const ranks = ranksOf([...before, ...after]);
  let extreme = 0;
  let all = 0;
  const choose = (from: number, left: number, sum: number): void => {
    if (left === 0) {
      all += 1;
      if (Math.abs(sum - expected) >= distance - 1e-9) extreme += 1;
      return;
    }
    for (let index = from; index <= ranks.length - left; index += 1)
      choose(index + 1, left - 1, sum + (ranks[index] as number));
  };
  choose(0, before.length, 0);
  return extreme / all;
}

function rankSum(before: readonly number[], after: readonly number[]): number {
  return ranksOf([...before, ...after])
    .slice(0, before.length)
    .reduce((sum, rank) => sum + rank, 0);
}

/** Ranks from 1; equal values share the mean of their ranks. */
function ranksOf(values: readonly number[]): number[] {
  const order = [...values.keys()].toSorted((a, b) => (values[a] as number) - (values[b] as number));
  const ranks: number[] = [];
  for (let start = 0; start < order.length;) {
    let end = start;
    while (end + 1 < order.length && values[order[end + 1] as number] === values[order[start] as number]) end += 1;
    for (let index = start; index <= end; index += 1) ranks[order[index] as number] = (start + end) / 2 + 1;
    start = end + 1;
  }
  return ranks;
}
