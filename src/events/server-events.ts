import type { Clock, Timer } from '../base/clock.ts';
import { messageOf } from '../base/errors.ts';
import { randomText } from '../base/ids.ts';
import type { Logger } from '../base/log.ts';
import type { EventStore } from '../model/event-store.ts';
import { Committer } from './committer.ts';
import { LeaseHolder } from './lease-holder.ts';
import type { HttpDelivery } from './serving.ts';

export interface ServerEventsOptions {
  readonly store: EventStore;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Sends events to commands; null: not here. */
  readonly http: HttpDelivery | null;
  readonly newTraceparent: () => string;
  /** From 0 to 1, 1 excluded. */
  readonly random: () => number;
}

/** One app's part, as its server sees it. */
export interface EventsApp {
  run(): void;
  rest(): Promise<void>;
  /** What may be ready is not known any more. */
  expectAnything(): void;
}

const PRUNE_EVERY_MS = 600_000;

/**
 * What there is once on a server of events: the name that it leases by, and what gathers its transactions.
 *
 *   waiting ── begin() ──▶ delivering ── rest() ──▶ resting ── begin() ──▶ delivering
 *      └──────────── close() ───┴──────────────────────┴──▶ closed
 *
 * What is published is kept in every state but `closed`; only while it is `delivering` anything is leased.
 */
export class ServerEvents {
  /** Of this server, for as long as it lives. */
  readonly name = `s_${randomText(16)}`;
  readonly store: EventStore;
  readonly committer: Committer;
  readonly holder: LeaseHolder;
  readonly options: ServerEventsOptions;
  readonly #apps = new Set<EventsApp>();
  #state: 'waiting' | 'delivering' | 'resting' | 'closed' = 'waiting';
  #sharesStore: () => boolean = () => false;
  #pruning: Timer | null = null;

  constructor(options: ServerEventsOptions) {
    const { store, clock, logger } = options;
    this.options = options;
    this.store = store;
    const reclaimed = (): void => {
      for (const app of this.#apps) app.expectAnything();
    };
    this.holder = new LeaseHolder({ store, clock, logger, reclaimed });
    this.committer = new Committer({ store, holder: this.holder, clock, logger });
  }

  get isDelivering(): boolean {
    return this.#state === 'delivering';
  }

  /** Whether others publish into the same store at present: then it is looked into every second. */
  readonly sharesStore = (): boolean => this.#sharesStore();

  /**
   * Delivers from now on.
   * @param o.isAlone no other server can be using the store: what one before has left leased is ready at once.
   * @param o.sharesStore asked again and again. Never rejects.
   */
  async begin(o: { readonly isAlone: boolean; readonly sharesStore: () => boolean }): Promise<void> {
    if (this.#state === 'closed' || this.#state === 'delivering') return;
    const { clock, logger } = this.options;
    this.#sharesStore = o.sharesStore;
    this.#state = 'delivering';
    this.#pruning ??= clock.every(PRUNE_EVERY_MS, () => void this.#prune());
    await this.holder
      .begin(o.isAlone && !o.sharesStore())
      .catch((error: unknown) =>
        logger.warn(
          { error: messageOf(error) },
          'what was leased before could not be made ready; it is when its leases end',
        ),
      );
    if (!this.isDelivering) return;
    for (const app of this.#apps) app.run();
  }

  /** Another server delivers from now on. Resolves when nothing more is leased, and what was not begun has been given back. */
  async rest(): Promise<void> {
    if (this.#state === 'closed') return;
    this.#state = 'resting';
    await Promise.all([...this.#apps].map((app) => app.rest()));
    await this.committer.flushed();
  }

  add(app: EventsApp): void {
    this.#apps.add(app);
    if (this.isDelivering) app.run();
  }

  remove(app: EventsApp): void {
    this.#apps.delete(app);
  }

  /** After the last app has ended: what is still to be settled is, and then the store is let go of. Never rejects. */
  async close(): Promise<void> {
    if (this.#state === 'closed') return;
    await this.rest();
    this.#state = 'closed';
    this.#pruning?.cancel();
    await this.committer.close();
    await this.holder.close();
  }

  async #prune(): Promise<void> {
    const { store, options } = this;
    await store
      .prune(options.clock.nowMs())
      .catch((error: unknown) =>
        options.logger.warn({ error: messageOf(error) }, 'old events could not be forgotten'),
      );
  }
}
