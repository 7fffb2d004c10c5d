import { formatDuration } from '../base/duration.ts';

export interface TransferLimits {
  /** Longest time without a single byte. */
  readonly idleMs: number;
  readonly minBytesPerS: number;
  readonly minRateGraceMs: number;
}

/**
 * Watches a transfer that somebody waits for: does it stand still, or go slower than it may? Looked at from time to time, so
 * that a byte that moves costs nothing. Time in which our own side holds it up does not count.
 */
export class TransferWatch {
  readonly #limits: TransferLimits;
  #state: 'off' | 'on' = 'off';
  #bytes = 0;
  #lookedMs = 0;
  #progressMs = 0;
  #moved = 0;
  #watchedMs = 0;

  constructor(limits: TransferLimits) {
    this.#limits = limits;
  }

  /** When something moved last, as far as it has been looked. */
  get progressMs(): number {
    return this.#progressMs;
  }

  /** From now on it is the peer's turn. Does nothing where it is so already. */
  start(bytes: number, nowMs: number): void {
    if (this.#state === 'on') return;
    this.#state = 'on';
    this.#bytes = bytes;
    this.#lookedMs = nowMs;
    this.#progressMs = nowMs;
  }

  /** The peer has done what was waited for, or our own side holds it up. */
  stop(): void {
    this.#state = 'off';
  }

  /**
   * @param bytes moved since the transfer began.
   * @returns what is wrong with it, in words; null where nothing is.
   */
  look(bytes: number, nowMs: number): string | null {
    if (this.#state === 'off') return null;
    this.#watchedMs += nowMs - this.#lookedMs;
    this.#lookedMs = nowMs;
    if (bytes > this.#bytes) {
      this.#moved += bytes - this.#bytes;
      this.#bytes = bytes;
      this.#progressMs = nowMs;
    }
    const { idleMs, minBytesPerS, minRateGraceMs } = this.#limits;
    if (nowMs - this.#progressMs >= idleMs) return `stood still for ${formatDuration(idleMs)}`;
    const wantedBytes = ((this.#watchedMs - minRateGraceMs) / 1_000) * minBytesPerS;
    return this.#moved < wantedBytes ? `went slower than ${minBytesPerS} bytes a second` : null;
  }
}
