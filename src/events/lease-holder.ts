import type { Clock, Timer } from '../base/clock.ts';
import { messageOf } from '../base/errors.ts';
import { randomText } from '../base/ids.ts';
import type { Logger } from '../base/log.ts';
import type { EventStore } from '../model/event-store.ts';

export interface LeaseHolderOptions {
  readonly store: Pick<EventStore, 'beat' | 'reclaim'>;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Leases of others have been made ready again. */
  readonly reclaimed: () => void;
}

/** How often a node that holds leases says that it lives, and for how long that holds: two may be missed. */
const BEAT_MS = 5_000;
const ALIVE_MS = 15_000;
/** With less than that left nothing is leased: what is leased now must outlast the next beat. */
const LEAST_LEFT_MS = ALIVE_MS - 2 * BEAT_MS + 1_000;
/** A node that has held nothing for so long beats no more. */
const QUIET_MS = 30_000;

interface Name {
  readonly id: string;
  held: number;
  /** Monotonic. */
  usedAtMs: number;
  aliveForMs: number;
}

/**
 * The name by which this server leases. It is another one whenever the store has failed in the middle of a lease: whether that was kept
 * nobody knows then, and what nobody here knows of must not be held alive. The old name beats on only as long as something is under way
 * that was leased by it; then it is silent, and whatever else it had is made ready again by whoever looks first.
 */
export class LeaseHolder {
  readonly #o: LeaseHolderOptions;
  readonly #earlier = new Map<string, Name>();
  #present: Name;
  #beating: Promise<void> | null = null;
  #ticking = false;
  #timer: Timer | null = null;

  constructor(o: LeaseHolderOptions) {
    this.#o = o;
    this.#present = this.#newName();
  }

  get id(): string {
    return this.#present.id;
  }

  /** Whether the store knows that this name lives for long enough. */
  get isAlive(): boolean {
    return this.#o.clock.monotonicMs() < this.#present.aliveForMs - LEAST_LEFT_MS;
  }

  /** How many rows are leased by this server, as far as it knows. */
  get held(): number {
    let sum = this.#present.held;
    for (const { held } of this.#earlier.values()) sum += held;
    return sum;
  }

  /**
   * Beats and reclaims from now on.
   * @param isAlone nobody else can have leased anything that still lives: what is leased is ready again at once.
   */
  async begin(isAlone: boolean): Promise<void> {
    this.#timer ??= this.#o.clock.every(BEAT_MS, () => void this.#tick());
    await this.#reclaim(isAlone ? this.id : null);
  }

  /** Resolves when this name may lease. Rejects with `store-failed`. */
  async ensureAlive(): Promise<void> {
    this.#present.usedAtMs = this.#o.clock.monotonicMs();
    if (this.isAlive) return;
    this.#beating ??= this.#beat(this.#present).finally(() => (this.#beating = null));
    await this.#beating;
  }

  hold(node: string, rows: number): void {
    const name = this.#named(node);
    if (name === null) return;
    name.held += rows;
    name.usedAtMs = this.#o.clock.monotonicMs();
  }

  letGo(node: string, rows: number): void {
    const name = this.#named(node);
    if (name === null) return;
    name.held -= rows;
    if (name !== this.#present && name.held <= 0) this.#earlier.delete(node);
  }

  /** Whether the store has kept what was to be leased is not known. */
  doubt(): void {
    if (this.#present.held > 0) this.#earlier.set(this.#present.id, this.#present);
    this.#present = this.#newName();
  }

  /** Nothing is held any more, or nobody here answers for it: others may have it at once. Never rejects. */
  async close(): Promise<void> {
    this.#timer?.cancel();
    this.#timer = null;
    await this.#beating?.catch(() => undefined);
    const { store, clock, logger } = this.#o;
    for (const { id, aliveForMs } of [...this.#earlier.values(), this.#present]) {
      if (aliveForMs === Number.NEGATIVE_INFINITY) continue;
      await store
        .beat(id, clock.nowMs())
        .catch((error: unknown) => logger.warn({ error: messageOf(error) }, 'leases are let go of late'));
    }
  }

  #named(node: string): Name | null {
    return node === this.#present.id ? this.#present : (this.#earlier.get(node) ?? null);
  }

  #newName(): Name {
    const usedAtMs = Number.NEGATIVE_INFINITY;
    return { id: `n_${randomText(16)}`, held: 0, usedAtMs, aliveForMs: Number.NEGATIVE_INFINITY };
  }

  async #tick(): Promise<void> {
    if (this.#ticking) return;
    this.#ticking = true;
    const { clock, logger } = this.#o;
    try {
      const quietSinceMs = clock.monotonicMs() - QUIET_MS;
      for (const name of [this.#present, ...this.#earlier.values()])
        if (name.held > 0 || name.usedAtMs > quietSinceMs) await this.#beat(name);
      // After the beats: where the clock was put forward, what this server itself holds would look forsaken.
      await this.#reclaim(null);
    } catch (error) {
      logger.warn({ error: messageOf(error) }, 'leases could not be renewed; tried again in five seconds');
    } finally {
      this.#ticking = false;
    }
  }

  async #beat(name: Name): Promise<void> {
    const { store, clock } = this.#o;
    // From before the call: however long that takes, it lives no longer than it says.
    const beganMs = clock.monotonicMs();
    await store.beat(name.id, clock.nowMs() + ALIVE_MS);
    name.aliveForMs = beganMs + ALIVE_MS;
  }

  async #reclaim(allBut: string | null): Promise<void> {
    const { store, clock, logger, reclaimed } = this.#o;
    const count = await store.reclaim(clock.nowMs(), allBut);
    if (count === 0) return;
    logger.info({ count }, 'kept work of a server that has ended is delivered again');
    reclaimed();
  }
}
