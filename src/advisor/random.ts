/** 2^-32: from 32 random bits to a number below 1. */
const UNIT = 2 ** -32;

/**
 * Random numbers that are the same each time: xoshiro128** (Blackman and Vigna, "Scrambled linear pseudorandom number generators", ACM
 * Transactions on Mathematical Software 47, 2021). Not for secrets.
 *
 * What is drawn for one purpose has a stream of its own, so that what one model draws more of than another shifts nothing else: two models
 * with one seed see the same starts in the same order.
 */
export class Random {
  #a: number;
  #b: number;
  #c: number;
  #d: number;

  /**
   * @param seed a whole number; its lowest 32 bits count.
   * @param purpose names the stream.
   */
  constructor(seed: number, purpose: string) {
    let state = seed | 0;
    for (let i = 0; i < purpose.length; i++) state = spread(state ^ purpose.charCodeAt(i));
    // The state must not be all zeroes; four different inputs of a bijection give at most one.
    this.#a = spread((state + 0x9e3779b9) | 0);
    this.#b = spread((state + 0x3c6ef372) | 0);
    this.#c = spread((state + 0xdaa66d2b) | 0);
    this.#d = spread((state + 0x78dde6e4) | 0);
  }

  /** From 0 up to but without 1, in steps of 2^-32. */
  next(): number {
    const times5 = Math.imul(this.#b, 5);
    const result = Math.imul((times5 << 7) | (times5 >>> 25), 9) >>> 0;
    const shifted = this.#b << 9;
    this.#c ^= this.#a;
    this.#d ^= this.#b;
    this.#b ^= this.#c;
    this.#a ^= this.#d;
    this.#c ^= shifted;
    this.#d = (this.#d << 11) | (this.#d >>> 21);
    return result * UNIT;
  }

  /** @param mean above 0. */
  exponential(mean: number): number {
    return -Math.log(1 - this.next()) * mean;
  }

  /** Of the standard normal distribution, by Box and Muller (Annals of Mathematical Statistics 29, 1958). */
  normal(): number {
    return Math.sqrt(-2 * Math.log(1 - this.next())) * Math.cos(2 * Math.PI * this.next());
  }
}

/** The finaliser of MurmurHash3 after a step by the golden ratio, as SplitMix (Steele, Lea and Flood, OOPSLA 2014) has it with 64 bits. */
function spread(value: number): number {
  let h = (value + 0x9e3779b9) | 0;
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return h ^ (h >>> 16);
}
