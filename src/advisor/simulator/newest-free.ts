const BITS = 32;
const WORD = 5;

/**
 * Which of a pool's instances have room, and the newest of them: a bit for each in the order of their starts, and a bit for each word of
 * those. Instances are named by their slot, which another has once they are gone; places in the order are given anew now and then.
 */
export class NewestFree {
  #slotAt = new Int32Array(BITS * BITS).fill(-1);
  #placeOf = new Int32Array(64);
  #words = new Int32Array(BITS);
  #upper = new Int32Array(1);
  #places = 0;
  #living = 0;

  /** An instance has been started, after all others. It has no room yet. */
  add(slot: number): void {
    if (this.#places === this.#slotAt.length) this.#renumber();
    if (slot >= this.#placeOf.length) {
      const places = new Int32Array(Math.max(slot + 1, this.#placeOf.length * 2));
      places.set(this.#placeOf);
      this.#placeOf = places;
    }
    this.#slotAt[this.#places] = slot;
    this.#placeOf[slot] = this.#places++;
    this.#living++;
  }

  remove(slot: number): void {
    this.fill(slot);
    this.#slotAt[this.#placeOf[slot]!] = -1;
    this.#living--;
  }

  /** It has room. */
  free(slot: number): void {
    const place = this.#placeOf[slot]!;
    const word = place >> WORD;
    this.#words[word]! |= 1 << (place & 31);
    this.#upper[word >> WORD]! |= 1 << (word & 31);
  }

  /** It has none. */
  fill(slot: number): void {
    const place = this.#placeOf[slot]!;
    const word = place >> WORD;
    const left = this.#words[word]! & ~(1 << (place & 31));
    this.#words[word] = left;
    if (left === 0) this.#upper[word >> WORD]! &= ~(1 << (word & 31));
  }

  /** The newest that has room; -1: none has. */
  newest(): number {
    const upper = this.#upper;
    for (let i = upper.length - 1; i >= 0; i--) {
      const bits = upper[i]!;
      if (bits === 0) continue;
      const word = (i << WORD) | (31 - Math.clz32(bits));
      return this.#slotAt[(word << WORD) | (31 - Math.clz32(this.#words[word]!))]!;
    }
    return -1;
  }

  /** All that live, in the order of their starts. */
  *inOrder(): Generator<number> {
    for (let place = 0; place < this.#places; place++)
      if (this.#slotAt[place]! >= 0) yield this.#slotAt[place]!;
  }

  /** Closes the gaps; twice as many places where more than half of them are taken. */
  #renumber(): void {
    const before = this.#slotAt;
    const words = this.#words;
    const length = this.#living * 2 > before.length ? before.length * 2 : before.length;
    this.#slotAt = new Int32Array(length).fill(-1);
    this.#words = new Int32Array(length >> WORD);
    this.#upper = new Int32Array(length >> (2 * WORD));
    this.#places = 0;
    this.#living = 0;
    for (const [place, slot] of before.entries()) {
      if (slot < 0) continue;
      this.add(slot);
      if ((words[place >> WORD]! >>> (place & 31)) & 1) this.free(slot);
    }
  }
}
