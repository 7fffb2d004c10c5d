/** What a {@link Registry} can hold: it remembers where it stands there. In one registry at a time. */
export interface Registered {
  /** Kept by the registry; -1 while in none. */
  registryPlace: number;
}

/**
 * A set of what comes and goes with every request. Not a Set: V8 makes a new table for one each time as many have gone as it has
 * room for, and each old table keeps the next one alive. Once one of them has grown old, everything that was ever in the later ones
 * outlives the short garbage collections, which then took half of an instance's time under load.
 */
export class Registry<T extends Registered> {
  readonly #items: T[] = [];

  get size(): number {
    return this.#items.length;
  }

  add(item: T): void {
    item.registryPlace = this.#items.length;
    this.#items.push(item);
  }

  /** Does nothing where it is not in it (any more). */
  delete(item: T): void {
    const place = item.registryPlace;
    if (place < 0) return;
    const last = this.#items.pop()!;
    item.registryPlace = -1;
    if (last === item) return;
    this.#items[place] = last;
    last.registryPlace = place;
  }

  /** All that are in it now; it may be changed meanwhile. */
  all(): T[] {
    return [...this.#items];
  }
}
