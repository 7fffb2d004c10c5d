import { orderOf } from './order.ts';

/** Arrivals of one function while they are read, 16 bytes each. What a row does not tell is NaN. */
export class ArrivalColumns {
  #arrivedAtMs = new Float64Array(16);
  #durationMs = new Float32Array(16);
  #cpuMs = new Float32Array(16);
  #count = 0;
  #inOrder = true;
  #unknownDurations = 0;
  firstMs = Infinity;
  /** The latest end of any, or arrival where its duration is not known. */
  lastMs = -Infinity;

  get count(): number {
    return this.#count;
  }

  get unknownDurations(): number {
    return this.#unknownDurations;
  }

  add(arrivedAtMs: number, durationMs: number, cpuMs: number): void {
    if (this.#count === this.#arrivedAtMs.length) this.#grow();
    if (this.#count > 0 && arrivedAtMs < this.#arrivedAtMs[this.#count - 1]!) this.#inOrder = false;
    this.#arrivedAtMs[this.#count] = arrivedAtMs;
    this.#durationMs[this.#count] = durationMs;
    this.#cpuMs[this.#count] = cpuMs;
    this.#count++;
    const unknown = Number.isNaN(durationMs);
    if (unknown) this.#unknownDurations++;
    if (arrivedAtMs < this.firstMs) this.firstMs = arrivedAtMs;
    const endMs = unknown ? arrivedAtMs : arrivedAtMs + durationMs;
    if (endMs > this.lastMs) this.lastMs = endMs;
  }

  /** In order of arrival. Copies, so that whoever fills in what is unknown changes nothing here. */
  toArrays(): { arrivedAtMs: Float64Array; durationMs: Float32Array; cpuMs: Float32Array } {
    const arrivedAtMs = this.#arrivedAtMs.slice(0, this.#count);
    const durationMs = this.#durationMs.slice(0, this.#count);
    const cpuMs = this.#cpuMs.slice(0, this.#count);
    if (this.#inOrder) return { arrivedAtMs, durationMs, cpuMs };
    const order = orderOf(arrivedAtMs);
    return {
      arrivedAtMs: Float64Array.from(order, (i) => arrivedAtMs[i]!),
      durationMs: Float32Array.from(order, (i) => durationMs[i]!),
      cpuMs: Float32Array.from(order, (i) => cpuMs[i]!),
    };
  }

  /** Durations that are known, in the order in which they came. */
  *knownDurations(): Generator<number> {
    for (let i = 0; i < this.#count; i++) {
      const durationMs = this.#durationMs[i]!;
      if (!Number.isNaN(durationMs)) yield durationMs;
    }
  }

  #grow(): void {
    const length = this.#arrivedAtMs.length * 2;
    const arrivedAtMs = new Float64Array(length);
    arrivedAtMs.set(this.#arrivedAtMs);
    const durationMs = new Float32Array(length);
    durationMs.set(this.#durationMs);
    const cpuMs = new Float32Array(length);
    cpuMs.set(this.#cpuMs);
    this.#arrivedAtMs = arrivedAtMs;
    this.#durationMs = durationMs;
    this.#cpuMs = cpuMs;
  }
}
