import type { Clock, Timer } from '../base/clock.ts';
import { messageOf } from '../base/errors.ts';
import { randomText } from '../base/ids.ts';
import type { Logger } from '../base/log.ts';
import type { EventStore, LeaseNode } from '../model/event-store.ts';

export interface LeaseHolderOptions {
  readonly store: Pick<EventStore, 'beat' | 'nodes' | 'reclaim'>;
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
  /** It was silent for so long that others may have taken what it had. */
  lapsed: boolean;
}

/** What another node has said last. */
interface Seen {
  readonly aliveUntilMs: number | null;
  /** Monotonic. */
  readonly sinceMs: number;
}

/**
 * The name by which this server leases. It is another one whenever the store has failed in the middle of a lease: whether that was kept
 * nobody knows then, and what nobody here knows of must not be held alive. The old name beats on only as long as something is under way
 * that was leased by it; then it is silent, and whatever else it had is made ready again by whoever looks first.
 *
 * Another node has ended when what it says of itself has stayed the same for as long as it may be silent, by the monotonic clock of
 * whoever looks: machines' clocks differ, and are set forward and back, and a living node would look dead by them, or a dead one alive.
 * Time in which the store does not answer is not counted: nobody can say anything then.
 */
export class LeaseHolder {
  readonly #o: LeaseHolderOptions;
  readonly #earlier = new Map<string, Name>();
  #seen = new Map<string, Seen>();
  #seenAtMs = Number.NEGATIVE_INFINITY;
  #present: Name;
  #beating: Promise<void> | null = null;
  #ticking = false;
  #timer: Timer | null = null;

  constructor(o: LeaseHolderOptions) {
    this.#o = o;
    this.#present = newName();
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
    const isFirst = this.#timer === null;
    this.#timer ??= this.#o.clock.every(BEAT_MS, () => void this.#tick());
    // Later what is leased may be this server's own, by an earlier name.
    if (isAlone && isFirst) await this.#reclaim({ allBut: this.id });
    else await this.#reclaimEnded();
  }

  /** Resolves when this name may lease. Rejects with `store-failed`. */
  async ensureAlive(): Promise<void> {
    this.#leaveLapsed();
    this.#present.usedAtMs = this.#o.clock.monotonicMs();
    if (this.isAlive) return;
    this.#beating ??= this.#beat(this.#present).finally(() => (this.#beating = null));
    await this.#beating;
  }

  hold(node: string, rows: number): void {
    if (rows === 0) return;
    let name = this.#named(node);
    // It was given up, with nothing held by it, while this was on its way.
    if (name === null) this.#earlier.set(node, (name = newName(node)));
    name.held += rows;
    name.usedAtMs = this.#o.clock.monotonicMs();
  }

  letGo(node: string, rows: number): void {
    const name = this.#named(node);
    if (name === null) return;
    name.held -= rows;
    if (name !== this.#present && name.held <= 0) this.#earlier.delete(node);
  }

  /** Whether what was leased by that name is still this server's: else another may have it, and be further on in the order of its key. */
  isStillHeld(node: string): boolean {
    const name = this.#named(node);
    return name !== null && !this.#hasLapsed(name);
  }

  /** Whether the store has kept what was to be leased is not known. */
  doubt(): void {
    if (this.#present.held > 0) this.#earlier.set(this.#present.id, this.#present);
    this.#present = newName();
  }

  /** Nothing is held any more, or nobody here answers for it: others may have it at once. Never rejects. */
  async close(): Promise<void> {
    this.#timer?.cancel();
    this.#timer = null;
    await this.#beating?.catch(() => undefined);
    const { store, logger } = this.#o;
    for (const { id, aliveForMs } of [...this.#earlier.values(), this.#present]) {
      if (aliveForMs === Number.NEGATIVE_INFINITY) continue;
      await store
        .beat(id, 0)
        .catch((error: unknown) => logger.warn({ error: messageOf(error) }, 'leases are let go of late'));
    }
  }

  #named(node: string): Name | null {
    return node === this.#present.id ? this.#present : (this.#earlier.get(node) ?? null);
  }

  #hasLapsed(name: Name): boolean {
    const { aliveForMs } = name;
    if (aliveForMs !== Number.NEGATIVE_INFINITY) name.lapsed ||= this.#o.clock.monotonicMs() >= aliveForMs;
    return name.lapsed;
  }

  /** What is leased from now on is not mistaken for what may be another's. */
  #leaveLapsed(): void {
    if (this.#present.held > 0 && this.#hasLapsed(this.#present)) this.doubt();
  }

  async #tick(): Promise<void> {
    if (this.#ticking) return;
    this.#ticking = true;
    const { clock, logger } = this.#o;
    try {
      this.#leaveLapsed();
      const quietSinceMs = clock.monotonicMs() - QUIET_MS;
      for (const name of [this.#present, ...this.#earlier.values()])
        if (name.held > 0 || name.usedAtMs > quietSinceMs) await this.#beat(name);
      await this.#reclaimEnded();
    } catch (error) {
      this.#seen.clear();
      logger.warn({ error: messageOf(error) }, 'leases could not be renewed; tried again in five seconds');
    } finally {
      this.#ticking = false;
    }
  }

  async #beat(name: Name): Promise<void> {
    const { store, clock } = this.#o;
    this.#hasLapsed(name);
    // From before the call: however long that takes, it lives no longer than it says.
    const beganMs = clock.monotonicMs();
    await store.beat(name.id, clock.nowMs() + ALIVE_MS);
    name.aliveForMs = beganMs + ALIVE_MS;
    if (name.held === 0) name.lapsed = false;
  }

  async #reclaimEnded(): Promise<void> {
    const nodes = await this.#o.store.nodes();
    const nowMs = this.#o.clock.monotonicMs();
    // This process has stood still itself, or the store has.
    if (nowMs - this.#seenAtMs >= ALIVE_MS) this.#seen.clear();
    this.#seenAtMs = nowMs;
    const seen = new Map<string, Seen>();
    const ended: LeaseNode[] = [];
    for (const one of nodes) {
      const { node, aliveUntilMs } = one;
      if (this.#named(node) !== null) continue;
      const before = this.#seen.get(node);
      const sinceMs = before?.aliveUntilMs === aliveUntilMs ? before.sinceMs : nowMs;
      seen.set(node, { aliveUntilMs, sinceMs });
      const saidSo = aliveUntilMs === null || aliveUntilMs <= 0;
      if (saidSo || nowMs - sinceMs >= ALIVE_MS) ended.push(one);
    }
    this.#seen = seen;
    if (ended.length > 0) await this.#reclaim(ended);
  }

  async #reclaim(ended: Parameters<EventStore['reclaim']>[0]): Promise<void> {
    const { store, logger, reclaimed } = this.#o;
    const count = await store.reclaim(ended);
    if (count === 0) return;
    logger.info({ count }, 'kept work of a server that has ended is delivered again');
    reclaimed();
  }
}

function newName(id = `n_${randomText(16)}`): Name {
  return {
    id,
    held: 0,
    usedAtMs: Number.NEGATIVE_INFINITY,
    aliveForMs: Number.NEGATIVE_INFINITY,
    lapsed: false,
  };
}
