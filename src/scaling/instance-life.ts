import type { InstanceUsage } from '../model/instance.ts';

/** What there is to tell of an instance since it was told last. Times are monotonic. */
export interface LifePiece {
  readonly fromMs: number;
  readonly lastsMs: number;
  readonly begins: boolean;
  readonly usedBytes: number | null;
  readonly cpuMs: number;
}

/**
 * One instance's life as the meter is told of it, in pieces. CPU time is what its process had used when somebody last looked, and what its
 * invocations have used since; at its end what the end says, where that tells more.
 */
export class InstanceLife {
  #fromMs: number;
  readonly #sinceMs: number;
  #looks = 0;
  #bytes = 0;
  /** What its process had used when somebody last looked. */
  #seenCpuMs = 0;
  /** What its invocations have used since. */
  #workCpuMs = 0;
  #toldCpuMs = 0;
  #begins = true;

  /** @param sinceMs (monotonic) when its start was decided. */
  constructor(sinceMs: number) {
    this.#fromMs = this.#sinceMs = sinceMs;
  }

  /** Somebody has looked what it holds and has used. */
  saw({ memoryBytes, cpuMs }: InstanceUsage): void {
    this.#looks++;
    this.#bytes += memoryBytes;
    // Of two looks that overlap the later may say less.
    if (cpuMs < this.#seenCpuMs) return;
    this.#seenCpuMs = cpuMs;
    this.#workCpuMs = 0;
  }

  /** An invocation on it begins. @returns what `worked` is to be told of it. */
  begun(): number {
    return this.#seenCpuMs + this.#workCpuMs;
  }

  /**
   * An invocation on it is over. What a look has seen of it on its way is not counted again; where several ran beside each other that may
   * be too little, which the next look makes up for, and never too much.
   * @param begun as `begun` said.
   */
  worked(cpuMs: number, begun: number): void {
    const seenMs = Math.max(0, this.#seenCpuMs - begun);
    this.#workCpuMs += Math.max(0, cpuMs - seenMs);
  }

  /** What there is to tell until `nowMs`; what comes after is for the next time. */
  piece(nowMs: number): LifePiece {
    const cpuMs = Math.max(0, this.#seenCpuMs + this.#workCpuMs - this.#toldCpuMs);
    const piece = {
      fromMs: this.#fromMs,
      lastsMs: Math.max(0, nowMs - this.#fromMs),
      begins: this.#begins,
      usedBytes: this.#looks === 0 ? null : this.#bytes / this.#looks,
      cpuMs,
    };
    this.#begins = false;
    this.#fromMs = Math.max(nowMs, this.#fromMs);
    this.#toldCpuMs += cpuMs;
    this.#looks = 0;
    this.#bytes = 0;
    return piece;
  }

  /**
   * The last piece.
   * @param cpuMs what its process used in all its life, as its end says: no more is believed than `cores` can do in that time.
   */
  end(nowMs: number, cpuMs: number | undefined, cores: number): LifePiece {
    const mostMs = Math.max(0, nowMs - this.#sinceMs) * cores;
    const known = this.#seenCpuMs + this.#workCpuMs;
    if (cpuMs !== undefined && cpuMs > known) {
      this.#seenCpuMs = Math.max(known, Math.min(cpuMs, mostMs));
      this.#workCpuMs = 0;
    }
    return this.piece(nowMs);
  }
}
