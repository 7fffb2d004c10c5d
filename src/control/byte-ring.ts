const FIRST_BYTES = 64 * 1024;

/**
 * The latest of many short records, outside of the JavaScript heap: bounded by count and bytes, the oldest dropped first. Kept as
 * objects, as many lines as a busy server writes would all be moved by every garbage collection.
 */
export class ByteRing {
  readonly #maxEntries: number;
  readonly #maxBytes: number;
  #buffer = Buffer.alloc(0);
  /** Where each begins and how long it is, by its place in the ring of entries. */
  readonly #starts: Uint32Array;
  readonly #lengths: Uint32Array;
  #first = 0;
  #count = 0;
  #bytes = 0;
  /** Where the next one is written. */
  #at = 0;

  constructor(maxEntries: number, maxBytes: number) {
    this.#maxEntries = maxEntries;
    this.#maxBytes = maxBytes;
    this.#starts = new Uint32Array(maxEntries);
    this.#lengths = new Uint32Array(maxEntries);
  }

  get count(): number {
    return this.#count;
  }

  /** Of the records that are kept. */
  get bytes(): number {
    return this.#bytes;
  }

  /**
   * Makes room for a record.
   * @returns where in {@link buffer} its `length` bytes must be written, before anything else happens; -1 where it is longer
   * than all the room there is, and not kept.
   */
  push(length: number): number {
    if (length > this.#maxBytes) return -1;
    if (this.#count === this.#maxEntries) this.#dropFirst();
    while (!this.#makeRoom(length)) this.#grow();
    const at = this.#at;
    const place = (this.#first + this.#count) % this.#maxEntries;
    this.#starts[place] = at;
    this.#lengths[place] = length;
    this.#at += length;
    this.#count++;
    this.#bytes += length;
    return at;
  }

  get buffer(): Buffer {
    return this.#buffer;
  }

  /**
   * A view that holds until the next `push`.
   * @param index 0 is the oldest.
   */
  get(index: number): Buffer {
    const place = (this.#first + index) % this.#maxEntries;
    const start = this.#starts[place]!;
    return this.#buffer.subarray(start, start + this.#lengths[place]!);
  }

  /** @returns false where the buffer should rather grow. */
  #makeRoom(length: number): boolean {
    const capacity = this.#buffer.length;
    const mayGrow = capacity < this.#maxBytes;
    if (this.#at + length > capacity) {
      if (mayGrow && !this.#isFreeInFront(length)) return false;
      // What lies behind is older than what lies at the beginning, and goes first.
      while (this.#count > 0 && this.#starts[this.#first]! >= this.#at) this.#dropFirst();
      this.#at = 0;
    }
    while (this.#count > 0 && this.#isInTheWay(length)) {
      if (mayGrow) return false;
      this.#dropFirst();
    }
    return true;
  }

  /** Whether it may go on at the beginning without anything being dropped: what is bounded by count need not grow for ever. */
  #isFreeInFront(length: number): boolean {
    const start = this.#starts[this.#first]!;
    return this.#count > 0 && start >= length && start < this.#at;
  }

  #isInTheWay(length: number): boolean {
    const start = this.#starts[this.#first]!;
    // One without bytes takes the place of one.
    return start < this.#at + length && start + Math.max(1, this.#lengths[this.#first]!) > this.#at;
  }

  #dropFirst(): void {
    this.#bytes -= this.#lengths[this.#first]!;
    this.#first = (this.#first + 1) % this.#maxEntries;
    this.#count--;
  }

  #grow(): void {
    const larger = Buffer.alloc(Math.min(this.#maxBytes, Math.max(FIRST_BYTES, this.#buffer.length * 2)));
    let at = 0;
    for (let i = 0; i < this.#count; i++) {
      const place = (this.#first + i) % this.#maxEntries;
      const start = this.#starts[place]!;
      this.#buffer.copy(larger, at, start, start + this.#lengths[place]!);
      this.#starts[place] = at;
      at += this.#lengths[place]!;
    }
    this.#buffer = larger;
    this.#at = at;
  }
}
