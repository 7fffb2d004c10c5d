/** Numbers one behind the other, 8 bytes each, however many come. */
export class NumberColumn {
  #values = new Float64Array(16);
  #count = 0;

  get count(): number {
    return this.#count;
  }

  add(value: number): void {
    if (this.#count === this.#values.length) {
      const longer = new Float64Array(this.#count * 2);
      longer.set(this.#values);
      this.#values = longer;
    }
    this.#values[this.#count++] = value;
  }

  /** What there is so far; not a copy. */
  get values(): Float64Array {
    return this.#values.subarray(0, this.#count);
  }
}
