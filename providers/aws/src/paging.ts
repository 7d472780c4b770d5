/** No list is longer than this: a service that never ends its pages is a defect, not a reason to go on for ever. */
const maxPages = 10_000;

/**
 * Everything a paged operation lists. `page` makes one call with the token of the page before and returns its items and
 * the token of the next, undefined at the end.
 */
export async function collect<Item>(
  page: (token: string | undefined) => Promise<readonly [items: readonly Item[] | undefined, next: string | undefined]>,
): Promise<Item[]> {
  const all: Item[] = [];
  for await (const item of each(page)) all.push(item);
  return all;
}

/** The same, one by one. */
export async function* each<Item>(
  page: (token: string | undefined) => Promise<readonly [items: readonly Item[] | undefined, next: string | undefined]>,
): AsyncGenerator<Item> {
  let token: string | undefined;
  for (let count = 0; count < maxPages; count += 1) {
    const [items, next] = await page(token);
    yield* items ?? [];
    if (next === undefined || next === "" || next === token) return;
    token = next;
  }
}

/** Lists of at most `size`, for operations that take only so many. */
export function chunk<Item>(items: readonly Item[], size: number): Item[][] {
  const chunks: Item[][] = [];
  for (let start = 0; start < items.length; start += size) chunks.push(items.slice(start, start + size));
  return chunks;
}
