/** What changed since the last `drain`, for collections whose rows are kept elsewhere. */
export interface Changes<Key, Value> {
  readonly put: readonly { readonly key: Key; readonly position: number; readonly value: Value }[];
  readonly removed: readonly Key[];
}

/** A map that tells what changed. Positions grow in the order of insertion, as the order of the map itself does. */
export class TrackedMap<Key, Value> extends Map<Key, Value> {
  readonly #positions = new Map<Key, number>();
  readonly #changed = new Set<Key>();
  #next = 1;

  /** Fills the map with what is kept already. */
  restore(rows: Iterable<readonly [Key, Value, number]>): this {
    for (const [key, value, position] of rows) {
      super.set(key, value);
      this.#positions.set(key, position);
      this.#next = Math.max(this.#next, position + 1);
    }
    return this;
  }

  override set(key: Key, value: Value): this {
    if (!this.has(key)) {
      this.#positions.set(key, this.#next);
      this.#next += 1;
    }
    this.#changed.add(key);
    return super.set(key, value);
  }

  override delete(key: Key): boolean {
    this.#changed.add(key);
    return super.delete(key);
  }

  drain(): Changes<Key, Value> {
    const keys = [...this.#changed];
    this.#changed.clear();
    return {
      put: keys
        .filter((key) => this.has(key))
        .map((key) => ({ key, position: this.#positions.get(key)!, value: this.get(key)! })),
      removed: keys.filter((key) => !this.has(key)),
    };
  }
}

/** A set that tells what changed. */
export class TrackedSet<Key> extends Set<Key> {
  readonly #map = new TrackedMap<Key, true>();

  restore(rows: Iterable<readonly [Key, number]>): this {
    for (const [key, position] of rows) {
      super.add(key);
      this.#map.restore([[key, true, position]]);
    }
    return this;
  }

  override add(key: Key): this {
    if (!this.has(key)) this.#map.set(key, true);
    return super.add(key);
  }

  override delete(key: Key): boolean {
    if (this.has(key)) this.#map.delete(key);
    return super.delete(key);
  }

  drain(): Changes<Key, true> {
    return this.#map.drain();
  }
}
