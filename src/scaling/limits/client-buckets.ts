import { randomInt } from 'node:crypto';
import type { ClientRate } from '../../model/app.ts';
import { BucketRate } from './token-bucket.ts';

const MOST_CLIENTS = 10_000;
/** Of those that no room is left for, so many buckets are shared. */
const SHARED = 1_024;
/** How many known clients each new one looks at, for one whose bucket is full again: two, so that the table shrinks faster than it grows. */
const LOOKED_AT = 2;
/** The same where the table is full, before it is given up. */
const LOOKED_AT_MOST = 64;

/**
 * A bucket for each client, for so many as there is room for. Who is known is forgotten when its bucket is full again, for then it is
 * like one that never came; and never before, or whoever comes with many addresses could have its own bucket forgotten, and anybody
 * else's. Where nobody can be forgotten, newcomers share buckets, by a hash that cannot be known outside: many addresses at once
 * can hold up a part of the newcomers, but nobody who was known before.
 */
export class ClientBuckets {
  readonly #most: number;
  readonly #seed = randomInt(2 ** 32);
  /** By client, when its bucket is full again. */
  readonly #known = new Map<string, number>();
  readonly #shared = new Float64Array(SHARED).fill(-Infinity);
  /** When all the shared ones are full again. */
  #sharedUntilMs = -Infinity;
  /** Goes round and round over those who are known. */
  #hand: MapIterator<[string, number]>;
  #rate: BucketRate;

  constructor(rate: ClientRate, most = MOST_CLIENTS) {
    this.#rate = new BucketRate(rate);
    this.#most = most;
    this.#hand = this.#known.entries();
  }

  get rps(): number {
    return this.#rate.rps;
  }

  get burst(): number {
    return this.#rate.burst;
  }

  /** How many clients have a bucket of their own. */
  get size(): number {
    return this.#known.size;
  }

  /** How long until this client may come; 0: now. Takes nothing. */
  waitMs(client: string, nowMs: number): number {
    return this.#rate.waitMs(this.#fullAtMs(client, nowMs), nowMs);
  }

  /** Takes one, which must be there. */
  take(client: string, nowMs: number): void {
    const fullAtMs = this.#rate.taken(this.#fullAtMs(client, nowMs), nowMs);
    if (this.#known.has(client) || this.#makeRoom(nowMs)) {
      this.#known.set(client, fullAtMs);
      return;
    }
    this.#shared[this.#shareOf(client)] = fullAtMs;
    this.#sharedUntilMs = Math.max(this.#sharedUntilMs, fullAtMs);
  }

  /** Another rate from now on. What was taken stays taken. */
  change(rate: ClientRate, nowMs: number): void {
    const before = this.#rate;
    const next = new BucketRate(rate);
    const over = (fullAtMs: number): number => next.takenOver(before, fullAtMs, nowMs);
    for (const [client, fullAtMs] of this.#known) this.#known.set(client, over(fullAtMs));
    for (const [place, fullAtMs] of this.#shared.entries()) this.#shared[place] = over(fullAtMs);
    this.#sharedUntilMs = over(this.#sharedUntilMs);
    this.#rate = next;
  }

  /** A newcomer begins with what its share lacks: it may have come by that before there was room for it. */
  #fullAtMs(client: string, nowMs: number): number {
    const own = this.#known.get(client);
    if (own !== undefined) return own;
    return nowMs < this.#sharedUntilMs ? this.#shared[this.#shareOf(client)]! : -Infinity;
  }

  /** Whether there is room for one more. */
  #makeRoom(nowMs: number): boolean {
    for (let looks = 1; looks <= LOOKED_AT_MOST; looks++) {
      if (looks > LOOKED_AT && this.#known.size < this.#most) return true;
      let next = this.#hand.next();
      if (next.done === true) {
        this.#hand = this.#known.entries();
        next = this.#hand.next();
        if (next.done === true) return true;
      }
      const [client, fullAtMs] = next.value;
      if (fullAtMs <= nowMs) this.#known.delete(client);
    }
    return this.#known.size < this.#most;
  }

  /** FNV-1a over UTF-16 units, begun with what only this process knows. */
  #shareOf(client: string): number {
    let hash = this.#seed;
    for (let i = 0; i < client.length; i++) hash = Math.imul(hash ^ client.charCodeAt(i), 0x01000193);
    hash ^= hash >>> 15;
    return (hash >>> 0) % SHARED;
  }
}
