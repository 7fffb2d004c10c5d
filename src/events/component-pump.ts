/**
 * Delivers what is kept for one component of one app. What it knows of its backlog:
 *
 *   nothing ── look ──▶ empty, next due at … ── due, published, reclaimed ──▶ more waits ── a lease that came short ──▶ nothing
 *
 * It looks only where something may be: own publishes and settlements tell it so at once, a timer when what is delayed or to be tried
 * again falls due, and a look at the store's counts (see `app-pumps.ts`) what it cannot know. It never polls by itself.
 *
 *   resting ◀──── rest() ──── running ── refused ──▶ refused until … ── then with one invocation ──▶ running
 *       └──── run() ────────▶    ▲                                               └── refused ──▶ …
 */
import type { Clock, Timer } from '../base/clock.ts';
import { messageOf } from '../base/errors.ts';
import type { Logger } from '../base/log.ts';
import type { RunnableSpec } from '../model/app.ts';
import { MAX_EVENT_BYTES } from '../model/event.ts';
import type { Backlog, Delivery, EventStore } from '../model/event-store.ts';
import { batchesOf, nextBatch, type BatchSettings, type Held } from './batches.ts';
import { mayLeaseAtOnce, MOST_LEASED_BYTES, rowsToLease, type LeaseView } from './decide-lease.ts';
import type { LeaseHolder } from './lease-holder.ts';
import type { Serving } from './serving.ts';
import { refusedPauseMs } from './retry.ts';

export interface PumpOptions {
  readonly app: string;
  readonly component: string;
  readonly store: Pick<EventStore, 'lease'>;
  readonly holder: LeaseHolder;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly random: () => number;
  /** Null: nothing serves that has the component. */
  readonly serving: () => { readonly serving: Serving; readonly spec: RunnableSpec } | null;
  /** The store does not take what is settled: nothing should be leased. */
  readonly isStoreFailing: () => boolean;
  /** What others publish is to be found by looking. */
  readonly sharesStore: () => boolean;
  /** The store's counts are wanted: `knows` is called with them soon. */
  readonly look: () => void;
  /** Has a batch worked on; resolves, whatever comes of it, when its invocation is over. */
  readonly work: (batch: readonly Held[], pump: ComponentPump) => Promise<WorkedOn>;
  /** What was leased is not begun after all. */
  readonly giveBack: (held: readonly Held[]) => void;
}

/** What an invocation with kept work says of the component. */
export type WorkedOn = 'well' | 'refused';

/** How soon a backlog is looked at again while it waits: its age decides how much may be under way. */
const AGAIN_MS = 1_000;
/** A timer is not trusted for longer: the machine's clock may be set. */
const LONGEST_SLEEP_MS = 30_000;
/** Where an invocation takes less, what comes next is leased before it ends: it would wait for the store as long as for the handler. */
const QUICK_MS = 250;
const FIRST_FAILED_MS = 500;
const LONGEST_FAILED_MS = 10_000;

export class ComponentPump {
  readonly component: string;
  readonly #o: PumpOptions;
  #state: 'running' | 'resting' = 'resting';
  #held: Held[] = [];
  /** Being published with a lease for this server. */
  #reserved = 0;
  #underWay = 0;
  /** Rows that are leased by this server, those included that the store has no outcome of yet. */
  #rows = 0;
  #unsettled = 0;
  #leasing: Promise<void> | null = null;
  /** More may be ready than is held. */
  #more = true;
  /** Counts what may have made more ready: what was asked for before does not speak for it. */
  #changes = 0;
  /** As last counted, less what was leased since. */
  #ready = 0;
  #oldestDueAtMs: number | null = null;
  /** The next that falls due, as far as is known. Epoch. */
  #nextDueAtMs = Number.POSITIVE_INFINITY;
  #futureKnown = false;
  #mayBeBlocked = true;
  #refusals = 0;
  /** By the invocation that ended last. */
  #tookMs = Number.POSITIVE_INFINITY;
  #failures = 0;
  /** Monotonic: until then nothing is begun or leased. */
  #quietUntilMs = Number.NEGATIVE_INFINITY;
  #timer: { readonly atMs: number; readonly timer: Timer } | null = null;
  #poked = false;

  constructor(o: PumpOptions) {
    this.#o = o;
    this.component = o.component;
  }

  /** Invocations under way. */
  get underWay(): number {
    return this.#underWay;
  }

  /** How long what is refused now is left alone. */
  get refusedMs(): number {
    return refusedPauseMs(Math.max(1, this.#refusals), this.#o.random());
  }

  run(): void {
    if (this.#state === 'running') return;
    this.#state = 'running';
    this.expectMore();
  }

  /** Begins nothing more, and gives back what it has not begun. Resolves when it leases nothing more; what is under way goes on. */
  async rest(): Promise<void> {
    this.#state = 'resting';
    this.#timer?.timer.cancel();
    this.#timer = null;
    this.#giveBack();
    await this.#leasing;
  }

  /** Something may be ready. */
  expectMore(): void {
    this.#more = true;
    this.#changes++;
    this.poke();
  }

  /** One falls due then (epoch ms) that is not ready yet. */
  expectAt(dueAtMs: number): void {
    if (dueAtMs <= this.#o.clock.nowMs()) return this.expectMore();
    if (dueAtMs >= this.#nextDueAtMs) return;
    this.#nextDueAtMs = dueAtMs;
    this.poke();
  }

  /** One of a key was kept that is not delivered at once: it may be behind another. */
  expectBlocked(): void {
    this.#mayBeBlocked = true;
    this.expectMore();
  }

  /** One of a key is done with: the next of that key may be ready. */
  keySettled(): void {
    if (this.#mayBeBlocked) this.expectMore();
  }

  /** For what is counted: `expect…` afterwards says that the counts are older. */
  get changes(): number {
    return this.#changes;
  }

  /** What the store has counted. @param changes as they were when it was asked. */
  knows(backlog: Backlog | null, changes: number): void {
    const isNewest = changes === this.#changes && this.#leasing === null;
    this.#ready = backlog?.ready ?? 0;
    this.#oldestDueAtMs = backlog?.oldestDueAtMs ?? null;
    const nextDueAtMs = backlog?.nextDueAtMs ?? Number.POSITIVE_INFINITY;
    if (isNewest) {
      this.#more = this.#ready > 0;
      this.#mayBeBlocked = (backlog?.blocked ?? 0) > 0;
      this.#nextDueAtMs = nextDueAtMs;
      this.#futureKnown = true;
    } else {
      if (this.#ready > 0) this.#more = true;
      if ((backlog?.blocked ?? 0) > 0) this.#mayBeBlocked = true;
      this.#nextDueAtMs = Math.min(this.#nextDueAtMs, nextDueAtMs);
    }
    this.poke();
  }

  /** Whether what is published now may be leased with it; if so it is counted, and `arrived` or `unreserve` must follow. */
  reserve(): boolean {
    if (this.#state !== 'running' || this.#more || this.#isQuiet()) return false;
    if (!this.#o.holder.isAlive || this.#o.isStoreFailing()) return false;
    const view = this.#view();
    if (view === null || !mayLeaseAtOnce(view)) return false;
    // Of all servers together so many may be under way: what is published is not asked for how many are.
    if (this.#o.sharesStore() && (this.#o.serving()?.spec.subscription?.concurrency ?? null) !== null)
      return false;
    this.#reserved++;
    return true;
  }

  unreserve(): void {
    this.#reserved--;
  }

  /** What was reserved, or what else was leased by this server for it. */
  arrived(delivery: Delivery, node: string): void {
    this.#o.holder.hold(node, 1);
    this.#rows++;
    this.#held.push({ delivery, node, sinceMs: this.#o.clock.monotonicMs() });
    if (this.#state === 'running') this.poke();
    else this.#giveBack();
  }

  /** So many rows more, or fewer, have an outcome that the store does not have yet. */
  unsettled(rows: number): void {
    this.#unsettled += rows;
    if (rows > 0) return;
    this.#rows += rows;
    if (this.#more) this.poke();
  }

  poke(): void {
    if (this.#poked || this.#state !== 'running') return;
    this.#poked = true;
    queueMicrotask(() => {
      this.#poked = false;
      this.#turn();
    });
  }

  #turn(): void {
    if (this.#state !== 'running') return;
    const { clock, serving } = this.#o;
    const nowMs = clock.monotonicMs();
    if (this.#nextDueAtMs <= clock.nowMs()) {
      this.#nextDueAtMs = Number.POSITIVE_INFINITY;
      this.#futureKnown = false;
      this.#more = true;
      this.#changes++;
    }
    if (nowMs < this.#quietUntilMs) {
      // What it holds others may be free for, and its keys wait for it.
      this.#giveBack();
      return this.#wakeAt(this.#quietUntilMs);
    }
    const served = serving();
    if (served === null) return this.#giveBack();
    const settings = batchSettings(served.spec);
    const window = this.#window(served.serving, settings, served.spec);
    if (window === 0) {
      this.#giveBack();
      if (this.#more) this.#wakeAt(nowMs + AGAIN_MS);
      return;
    }
    while (this.#underWay < window) {
      const { batch, dueMs } = nextBatch(this.#held, settings, nowMs);
      if (dueMs !== null) this.#wakeAt(dueMs);
      if (batch === null) break;
      this.#begin(batch);
    }
    this.#leaseMore(served.spec);
    if (this.#more || this.#held.length > 0) this.#wakeAt(nowMs + AGAIN_MS);
    if (this.#nextDueAtMs !== Number.POSITIVE_INFINITY)
      this.#wakeAt(nowMs + Math.min(LONGEST_SLEEP_MS, Math.max(1, this.#nextDueAtMs - clock.nowMs())));
    // What is ready is counted while it waits; and once, when nothing more is, to know what falls due next.
    if (
      this.#leasing === null &&
      ((this.#more && this.#underWay >= window) || (!this.#more && !this.#futureKnown))
    )
      this.#o.look();
  }

  #begin(next: readonly Held[]): void {
    const taken = new Set(next);
    this.#held = this.#held.filter((one) => !taken.has(one));
    const lost = next.filter(({ node }) => !this.#o.holder.isStillHeld(node));
    if (lost.length > 0) {
      this.expectMore();
      this.#o.giveBack(lost);
    }
    const batch = lost.length === 0 ? next : next.filter((one) => !lost.includes(one));
    if (batch.length === 0) return;
    this.#underWay++;
    const beganMs = this.#o.clock.monotonicMs();
    void this.#o.work(batch, this).then((how) => {
      this.#underWay--;
      this.#tookMs = this.#o.clock.monotonicMs() - beganMs;
      if (how === 'well') this.#refusals = 0;
      // Those that were begun beside it are refused by the same, and are no further refusal.
      else if (!this.#isQuiet()) {
        this.#refusals++;
        this.#quietUntilMs = this.#o.clock.monotonicMs() + this.refusedMs;
      }
      this.poke();
    });
  }

  #leaseMore(spec: RunnableSpec): void {
    if (this.#leasing !== null || this.#o.isStoreFailing()) return;
    const view = this.#view();
    const mostLeased = mostLeasedOf(spec);
    // The store would give none beyond that either, and its none would be taken for the end of the backlog.
    const room = mostLeased === null ? Infinity : mostLeased - this.#rows - this.#reserved;
    const limit = view === null ? 0 : Math.min(room, rowsToLease(view));
    if (limit <= 0) return;
    this.#leasing = this.#lease(limit, mostLeased).finally(() => {
      this.#leasing = null;
      if (this.#state !== 'running') this.#giveBack();
      this.poke();
    });
  }

  async #lease(limit: number, mostLeased: number | null): Promise<void> {
    const { store, holder, app, component, clock, logger } = this.#o;
    const changes = this.#changes;
    try {
      await holder.ensureAlive();
      if (this.#state !== 'running') return;
      const node = holder.id;
      const leased = await store
        .lease({
          app,
          component,
          node,
          nowMs: clock.nowMs(),
          limit,
          maxBytes: MOST_LEASED_BYTES,
          mostLeased,
        })
        .catch((error: unknown) => {
          holder.doubt();
          throw error;
        });
      this.#failures = 0;
      holder.hold(node, leased.length);
      this.#rows += leased.length;
      this.#dropLeasedAnew(leased);
      const sinceMs = clock.monotonicMs();
      for (const delivery of leased) this.#held.push({ delivery, node, sinceMs });
      this.#ready = Math.max(0, this.#ready - leased.length);
      this.#came(leased, limit, changes);
    } catch (error) {
      const pauseMs = Math.min(LONGEST_FAILED_MS, FIRST_FAILED_MS * 2 ** this.#failures++);
      this.#quietUntilMs = clock.monotonicMs() + pauseMs;
      if (this.#failures === 1)
        logger.error(
          { app, component, error: messageOf(error) },
          'kept work could not be leased; it is tried again',
        );
    }
  }

  /**
   * What was given back without an answer of the store, and given back once more for that, may have been leased in between: that lease was
   * taken back with it, and the one that has come now is the only one.
   */
  #dropLeasedAnew(leased: readonly Delivery[]): void {
    if (this.#held.length === 0 || leased.length === 0) return;
    const ids = new Set(leased.map(({ id }) => id));
    this.#held = this.#held.filter(({ delivery, node }) => {
      if (!ids.has(delivery.id)) return true;
      this.#o.holder.letGo(node, 1);
      return false;
    });
  }

  /** What a lease that came says of what it has left. */
  #came(leased: readonly Delivery[], limit: number, changes: number): void {
    const bytes = leased.reduce((sum, { data }) => sum + data.length, 0);
    if (leased.length > 0) this.#oldestDueAtMs = leased.at(-1)!.dueAtMs;
    // One more may have been too large for it.
    const isFull = bytes > MOST_LEASED_BYTES - MAX_EVENT_BYTES;
    if (leased.length >= limit || isFull || changes !== this.#changes) return;
    this.#more = false;
    this.#ready = 0;
    this.#oldestDueAtMs = null;
  }

  #view(): LeaseView | null {
    const served = this.#o.serving();
    if (served === null) return null;
    const settings = batchSettings(served.spec);
    const { batchSize } = settings;
    const window = this.#window(served.serving, settings, served.spec);
    return {
      window,
      ahead: this.#tookMs < QUICK_MS ? window : 0,
      underWay: this.#underWay,
      held: this.#held.length + this.#reserved,
      heldBatches: batchesOf(this.#held, batchSize) + Math.ceil(this.#reserved / batchSize),
      batchSize,
      more: this.#more,
      unsettled: this.#unsettled,
    };
  }

  #window({ window }: Serving, { batchSize }: BatchSettings, { subscription }: RunnableSpec): number {
    const [first] = this.#held;
    const dueAtMs = Math.min(first?.delivery.dueAtMs ?? Infinity, this.#oldestDueAtMs ?? Infinity);
    const oldestMs = dueAtMs === Infinity ? 0 : Math.max(0, this.#o.clock.nowMs() - dueAtMs);
    const waiting = batchesOf(this.#held, batchSize) + Math.ceil(this.#ready / batchSize);
    const most = window.workWindow(this.component, { waiting, oldestMs, underWay: this.#underWay });
    // After a refusal one alone tries whether there is room again.
    return Math.min(most, subscription?.concurrency ?? Infinity, this.#refusals > 0 ? 1 : Infinity);
  }

  #isQuiet(): boolean {
    return this.#o.clock.monotonicMs() < this.#quietUntilMs;
  }

  #giveBack(): void {
    if (this.#held.length === 0) return;
    const held = this.#held;
    this.#held = [];
    this.expectMore();
    this.#o.giveBack(held);
  }

  /** The earliest of those that are asked for. */
  #wakeAt(atMs: number): void {
    if (this.#timer !== null) {
      if (this.#timer.atMs <= atMs) return;
      this.#timer.timer.cancel();
    }
    const timer = this.#o.clock.after(Math.max(1, atMs - this.#o.clock.monotonicMs()), () => {
      this.#timer = null;
      this.#turn();
    });
    this.#timer = { atMs, timer };
  }
}

/** Of all servers together; null: no bound. */
function mostLeasedOf(spec: RunnableSpec): number | null {
  const concurrency = spec.subscription?.concurrency ?? null;
  return concurrency === null ? null : concurrency * batchSettings(spec).batchSize;
}

/** A component that takes no events has them, if any are left, one by one. */
function batchSettings({ subscription }: RunnableSpec): BatchSettings {
  return { batchSize: subscription?.batchSize ?? 1, batchWaitMs: subscription?.batchWaitMs ?? 0 };
}
