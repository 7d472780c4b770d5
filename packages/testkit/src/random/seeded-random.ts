import type { Random } from "@wfctl/engine";

/** Repeatable randomness: equal seeds give equal ids and numbers in equal order. Not for secrets. */
export interface SeededRandom extends Random {
  /** 0 ≤ x < `limit`, whole. */
  below(limit: number): number;
  /** True in this share of the calls. */
  chance(share: number): boolean;
  pick<T>(items: readonly [T, ...T[]]): T;
  pick<T>(items: readonly T[]): T | undefined;
  /** Another source, independent of what is drawn from this one later. */
  fork(label: string): SeededRandom;
}

export function createSeededRandom(seed: number | string): SeededRandom {
  const label = String(seed);
  let state = hashText(label) || 1;
  let ids = 0;
  const number = (): number => {
    // mulberry32
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
  const below = (limit: number): number => Math.floor(number() * limit);
  return {
    id: () => `${(ids += 1).toString(36)}-${Math.floor(number() * 0x7fffffff).toString(36)}`,
    number,
    below,
    chance: (share) => number() < share,
    pick: <T>(items: readonly T[]): T => items[below(items.length)] as T,
    fork: (name) => createSeededRandom(`${label}/${name}`),
  };
}

/** FNV-1a, 32 bits. */
export function hashText(text: string): number {
  let hash = 0x811c9dc5;
  for (let index = 0; index < text.length; index += 1) {
    hash = Math.imul(hash ^ text.charCodeAt(index), 0x01000193);
  }
  return hash >>> 0;
}
