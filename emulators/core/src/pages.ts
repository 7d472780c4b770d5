/** One page of a list, counted from 1. */
export function slicePage<Value>(
  items: readonly Value[],
  page: number,
  perPage: number,
): { items: Value[]; pages: number } {
  const start = (page - 1) * perPage;
  return { items: items.slice(start, start + perPage), pages: Math.max(1, Math.ceil(items.length / perPage)) };
}

/** One page of a list by an opaque token; undefined where the token is no token of ours. */
export function sliceToken<Value>(
  items: readonly Value[],
  token: string | undefined,
  size: number,
): { items: Value[]; next: string | undefined } | undefined {
  const start = token === undefined || token === "" ? 0 : Number(Buffer.from(token, "base64url").toString());
  if (!Number.isInteger(start) || start < 0) return undefined;
  const end = start + size;
  const next = end < items.length ? Buffer.from(String(end)).toString("base64url") : undefined;
  return { items: items.slice(start, end), next };
}
