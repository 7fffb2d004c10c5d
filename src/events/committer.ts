import type { Clock, Timer } from '../base/clock.ts';
import { asFulcrumError, FulcrumError, messageOf } from '../base/errors.ts';
import type { Logger } from '../base/log.ts';
import type { EventStore, KeptWork, NewWork, Settlement } from '../model/event-store.ts';
import type { LeaseHolder } from './lease-holder.ts';

export interface CommitterOptions {
  readonly store: Pick<EventStore, 'commit'>;
  readonly holder: LeaseHolder;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** What was published together, and who has what of it. */
export interface Committed {
  /** By whose name it is leased, what is. */
  readonly node: string;
  readonly kept: readonly KeptWork[];
}

/** Of one transaction. */
export const MOST_ROWS = 1_000;
const MOST_BYTES = 8 * 1024 ** 2;
/** Of what waits for a transaction. */
const MOST_WAITING_ROWS = 50_000;
const MOST_WAITING_BYTES = 64 * 1024 ** 2;
/** Transactions under way: while the store writes one, the next is made ready and sent. */
export const MOST_UNDER_WAY = 3;
/** A transaction beside another has so many rows at least: with fewer it costs a sync of the disk that it is not worth. */
export const LEAST_BESIDE = 64;
const FIRST_PAUSE_MS = 100;
const LONGEST_PAUSE_MS = 5_000;
/** A row without its data. */
const ROW_BYTES = 256;

interface Publishing {
  readonly work: readonly NewWork[];
  readonly bytes: number;
  /** What is published behind it may not be kept before it. */
  readonly isOrdered: boolean;
  readonly resolve: (committed: Committed) => void;
  readonly reject: (error: FulcrumError) => void;
}

interface Settling {
  readonly node: string;
  readonly settlement: Settlement;
  /** Published with it. */
  readonly alongside: readonly NewWork[];
  readonly bytes: number;
  readonly resolve: (held: boolean) => void;
}

/** Of one transaction. */
interface Taken {
  readonly node: string;
  readonly publishing: readonly Publishing[];
  readonly settling: readonly Settling[];
  readonly isOrdered: boolean;
}

/**
 * Group commit: what is published and settled while one transaction is on its way goes together in the next, so that a server writes as
 * much with one sync of its disk as has come meanwhile (DeWitt et al., "Implementation techniques for main memory database systems", 1984).
 * Where much comes several are under way at a time, so that neither the store nor the server waits for the other; with what has a key, or may
 * be a duplicate, only one, for that is kept in the order in which it was published.
 *
 * Where the store fails, whoever publishes is told. What has been settled is true all the same: it is kept, and tried again until the
 * store takes it or says that the lease was lost. No more of it than is leased can come together, and nothing is leased meanwhile.
 */
export class Committer {
  readonly #o: CommitterOptions;
  #publishing: Publishing[] = [];
  #settling: Settling[] = [];
  #waitingRows = 0;
  #waitingBytes = 0;
  #underWay = 0;
  #isOrderedUnderWay = false;
  #poked = false;
  #closed = false;
  #failures = 0;
  /** Settlements go by so many at a time: where one of them is what the store refuses, the others get through. */
  #atOnce = MOST_ROWS;
  #again: Timer | null = null;
  #flushed: (() => void)[] = [];

  constructor(o: CommitterOptions) {
    this.#o = o;
  }

  /** A transaction has failed a moment ago: nothing should be leased. */
  get isFailing(): boolean {
    return this.#again !== null;
  }

  /** All or none. Rejects with `store-failed` or `shutting-down`. */
  publish(work: readonly NewWork[]): Promise<Committed> {
    if (this.#closed)
      return Promise.reject(
        new FulcrumError('shutting-down', 'The server is shutting down and keeps nothing more.', {
          retryAfterS: 1,
        }),
      );
    const bytes = work.reduce((sum, one) => sum + bytesOf(one), 0);
    if (this.#waitingRows > MOST_WAITING_ROWS || this.#waitingBytes + bytes > MOST_WAITING_BYTES)
      return Promise.reject(
        new FulcrumError(
          'store-failed',
          `More is published than the store can write: ${this.#waitingRows} events wait for it. It was not kept: try again.`,
          { retryAfterS: 1 },
        ),
      );
    return new Promise((resolve, reject) => {
      this.#waitingRows += work.length;
      this.#waitingBytes += bytes;
      const isOrdered = work.some(({ key, dedupe }) => key !== null || dedupe !== null);
      this.#publishing.push({ work, bytes, isOrdered, resolve, reject });
      this.#poke();
    });
  }

  /**
   * Resolves when it is kept: true; false where the lease was lost, or the server has closed before the store took it. Never rejects.
   * @param node by whose name it was leased.
   */
  settle(node: string, settlement: Settlement, alongside: readonly NewWork[] = []): Promise<boolean> {
    if (this.#closed) return Promise.resolve(false);
    return new Promise((resolve) => {
      const bytes = alongside.reduce((sum, one) => sum + bytesOf(one), answerBytes(settlement) + ROW_BYTES);
      this.#settling.push({ node, settlement, alongside, bytes, resolve });
      this.#poke();
    });
  }

  /** Resolves once nothing waits or is on its way, or the store has failed. */
  flushed(): Promise<void> {
    if (this.#underWay === 0 && this.#publishing.length + this.#settling.length === 0)
      return Promise.resolve();
    return new Promise((resolve) => {
      this.#flushed.push(resolve);
      this.#poke();
    });
  }

  /** Writes what waits, trying once more where the store fails. What is published afterwards is refused. */
  async close(): Promise<void> {
    this.#stopWaiting();
    await this.flushed();
    this.#closed = true;
    this.#stopWaiting();
    for (const { resolve } of this.#settling) resolve(false);
    this.#settling = [];
  }

  #poke(): void {
    if (this.#poked) return;
    this.#poked = true;
    queueMicrotask(() => {
      this.#poked = false;
      this.#begin();
    });
  }

  #begin(): void {
    while (this.#isWorthOne()) {
      const taken = this.#take();
      if (taken === null) break;
      void this.#carryOut(taken);
    }
    if (this.#underWay === 0) for (const resolve of this.#flushed.splice(0)) resolve();
  }

  #isWorthOne(): boolean {
    if (this.#underWay === 0) return true;
    if (this.#underWay >= MOST_UNDER_WAY || this.#failures > 0) return false;
    return this.#waitingRows + this.#settling.length >= LEAST_BESIDE;
  }

  /** Null: nothing may go now. */
  #take(): Taken | null {
    const settling = this.#again === null ? this.#takeSettling() : [];
    // A transaction has one name: what was leased by an earlier one goes by itself.
    const node = settling[0]?.node ?? this.#o.holder.id;
    const publishing = node === this.#o.holder.id ? this.#takePublishing(settling) : [];
    if (settling.length + publishing.length === 0) return null;
    return { node, publishing, settling, isOrdered: publishing.some(({ isOrdered }) => isOrdered) };
  }

  async #carryOut({ node, publishing, settling, isOrdered }: Taken): Promise<void> {
    const { store, holder, clock } = this.#o;
    const work = publishing.flatMap((one) => one.work);
    const alongside = settling.flatMap((one) => one.alongside);
    const leases = mayLease(publishing) ? 1 : 0;
    this.#underWay++;
    if (isOrdered) this.#isOrderedUnderWay = true;
    // The other one may fail meanwhile, and this name be given up: not before it is known what this one leases.
    holder.hold(node, leases);
    try {
      const { published, settled } = await store.commit({
        node,
        nowMs: clock.nowMs(),
        publish: alongside.length === 0 ? work : [...work, ...alongside],
        settle: settling.map(({ settlement }) => settlement),
      });
      this.#succeeded();
      let at = 0;
      for (const one of publishing) {
        one.resolve({ node, kept: published.slice(at, at + one.work.length) });
        at += one.work.length;
      }
      for (const [i, one] of settling.entries()) one.resolve(settled[i] ?? false);
    } catch (error) {
      this.#failed(error, publishing, settling);
    }
    // Behind those that have just been told, who hold what is theirs.
    queueMicrotask(() => holder.letGo(node, leases));
    this.#underWay--;
    if (isOrdered) this.#isOrderedUnderWay = false;
    this.#begin();
  }

  #succeeded(): void {
    if (this.#failures === 0) return;
    this.#failures = 0;
    this.#atOnce = Math.min(MOST_ROWS, this.#atOnce * 2);
    this.#stopWaiting();
    this.#o.logger.info({ waiting: this.#settling.length }, 'the store keeps events again');
  }

  #failed(error: unknown, publishing: readonly Publishing[], settling: readonly Settling[]): void {
    const { holder, clock, logger } = this.#o;
    const known = storeError(error);
    if (mayLease(publishing)) holder.doubt();
    for (const one of publishing) one.reject(known);
    if (this.#failures++ === 0)
      logger.error({ error: messageOf(error), settling: settling.length }, 'events could not be kept');
    if (settling.length > 0) {
      // Those behind it come first now: one that the store refuses for itself does not keep them waiting.
      this.#settling.push(...settling);
      this.#atOnce = Math.max(1, Math.floor(settling.length / 2));
    }
    const pauseMs = Math.min(LONGEST_PAUSE_MS, FIRST_PAUSE_MS * 2 ** (this.#failures - 1));
    this.#again ??= clock.after(pauseMs, () => {
      this.#again = null;
      this.#poke();
    });
  }

  #stopWaiting(): void {
    this.#again?.cancel();
    this.#again = null;
  }

  #takeSettling(): Settling[] {
    const [first] = this.#settling;
    if (first === undefined) return [];
    const taken: Settling[] = [];
    let bytes = 0;
    let at = 0;
    for (; at < this.#settling.length && taken.length < this.#atOnce; at++) {
      const one = this.#settling[at]!;
      if (one.node !== first.node || (taken.length > 0 && bytes + one.bytes > MOST_BYTES)) break;
      taken.push(one);
      bytes += one.bytes;
    }
    this.#settling.splice(0, at);
    // Fewer while the store fails, and as many as ever once it does not.
    if (this.#failures === 0) this.#atOnce = MOST_ROWS;
    return taken;
  }

  #takePublishing(settling: readonly Settling[]): Publishing[] {
    let rows = settling.length;
    let bytes = settling.reduce((sum, one) => sum + one.bytes, 0);
    let at = 0;
    for (; at < this.#publishing.length; at++) {
      const one = this.#publishing[at]!;
      if (one.isOrdered && this.#isOrderedUnderWay) break;
      if (rows > 0 && (rows + one.work.length > MOST_ROWS || bytes + one.bytes > MOST_BYTES)) break;
      rows += one.work.length;
      bytes += one.bytes;
      this.#waitingRows -= one.work.length;
      this.#waitingBytes -= one.bytes;
    }
    return this.#publishing.splice(0, at);
  }
}

function mayLease(publishing: readonly Publishing[]): boolean {
  return publishing.some(({ work }) => work.some(({ leaseFor }) => leaseFor.length > 0));
}

function bytesOf({ data, components }: NewWork): number {
  return (data.length + ROW_BYTES) * Math.max(1, components.length);
}

function answerBytes({ outcome }: Settlement): number {
  return outcome.as === 'again' ? 0 : (outcome.answer?.data.length ?? 0);
}

function storeError(error: unknown): FulcrumError {
  const known = asFulcrumError(error, 'store-failed');
  if (known.code !== 'store-failed')
    return new FulcrumError('store-failed', known.message, { cause: error, retryAfterS: 1 });
  return known.retryAfterS === null
    ? new FulcrumError('store-failed', known.message, { cause: known, retryAfterS: 1 })
    : known;
}
