/** Invocations that wait, by their place in the traffic, first come, first served: a ring that grows. */
export class WaitQueue {
  size = 0;
  #ring = new Int32Array(64);
  #first = 0;

  /** The one that waits longest; there must be one. */
  get first(): number {
    return this.#ring[this.#first]!;
  }

  add(invocation: number): void {
    if (this.size === this.#ring.length) this.#grow();
    this.#ring[(this.#first + this.size++) & (this.#ring.length - 1)] = invocation;
  }

  /** Takes the first away; there must be one. */
  take(): number {
    const invocation = this.#ring[this.#first]!;
    this.#first = (this.#first + 1) & (this.#ring.length - 1);
    this.size--;
    return invocation;
  }

  #grow(): void {
    const { length } = this.#ring;
    const ring = new Int32Array(length * 2);
    for (let i = 0; i < this.size; i++) ring[i] = this.#ring[(this.#first + i) & (length - 1)]!;
    this.#ring = ring;
    this.#first = 0;
  }
}
