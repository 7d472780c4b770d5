import type { Provider } from "../ports/index.ts";

/** Where a type does not say how long an effect may take to show. */
const defaultSettleMs = 30_000;

/** How long after it was sent the effect of a call may still show. */
export function settleMsOf(provider: Provider, type: string): number {
  return provider.traits(type)?.settleMs ?? defaultSettleMs;
}
