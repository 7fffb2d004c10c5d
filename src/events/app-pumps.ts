import type { Clock, Timer } from '../base/clock.ts';
import { messageOf } from '../base/errors.ts';
import type { Logger } from '../base/log.ts';
import type { RunnableSpec } from '../model/app.ts';
import type { Backlog, EventStore } from '../model/event-store.ts';
import type { BatchWork } from './batch-work.ts';
import { ComponentPump } from './component-pump.ts';
import type { LeaseHolder } from './lease-holder.ts';
import type { Serving } from './serving.ts';

export interface AppPumpsOptions {
  readonly app: string;
  readonly store: Pick<EventStore, 'lease' | 'backlog'>;
  readonly holder: LeaseHolder;
  readonly work: BatchWork;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly random: () => number;
  readonly serving: () => Serving | null;
  readonly isStoreFailing: () => boolean;
  readonly sharesStore: () => boolean;
}

/** How often the store is asked for what waits, at the most. */
const LOOK_MS = 1_000;

/** The pumps of an app's components, and the one look at the store's counts for all of them. */
export class AppPumps {
  readonly #o: AppPumpsOptions;
  readonly #pumps = new Map<string, ComponentPump>();
  #state: 'running' | 'resting' = 'resting';
  #looking: Promise<void> | null = null;
  #lookedAtMs = Number.NEGATIVE_INFINITY;
  #lookTimer: Timer | null = null;
  #fault = false;
  #wasShared = false;

  constructor(o: AppPumpsOptions) {
    this.#o = o;
  }

  /** Null where nothing serves that has the component. */
  of(component: string): ComponentPump | null {
    const known = this.#pumps.get(component);
    if (known !== undefined) return known;
    if (this.#served(component) === null) return null;
    const { app, store, holder, work, clock, logger, random, isStoreFailing, sharesStore } = this.#o;
    const pump: ComponentPump = new ComponentPump({
      ...{ app, component, store, holder, clock, logger, random, isStoreFailing, sharesStore },
      serving: () => this.#served(component),
      look: () => this.#lookSoon(),
      work: async (batch) => {
        const served = this.#served(component);
        if (served !== null) return await work.run(batch, served.serving, served.spec, pump);
        work.giveBack(batch, pump);
        return 'refused';
      },
      giveBack: (held) => work.giveBack(held, pump),
    });
    this.#pumps.set(component, pump);
    if (this.#state === 'running') pump.run();
    return pump;
  }

  /** Pumps from now on what serves has components for. */
  run(): void {
    this.#state = 'running';
    const serving = this.#o.serving();
    for (const spec of serving?.components.values() ?? []) if (spec.kind !== 'static') this.of(spec.name);
    for (const [component, pump] of this.#pumps) {
      if (serving?.components.has(component) === true) pump.run();
      // It is kept: what it has begun or gives back is told to it, and the component may be served again by then.
      else void pump.rest();
      pump.poke();
    }
    this.#lookSoon();
  }

  /** Resolves when nothing more is leased; what is under way goes on. */
  async rest(): Promise<void> {
    this.#state = 'resting';
    this.#lookTimer?.cancel();
    this.#lookTimer = null;
    await Promise.all([...this.#pumps.values()].map((pump) => pump.rest()));
    await this.#looking;
  }

  /** What may be ready is not known any more: somebody else has changed it. */
  expectAnything(): void {
    for (const pump of this.#pumps.values()) pump.expectMore();
    this.#lookSoon();
  }

  #served(component: string): { readonly serving: Serving; readonly spec: RunnableSpec } | null {
    const serving = this.#o.serving();
    const spec = serving?.components.get(component);
    return serving === null || spec === undefined || spec.kind === 'static' ? null : { serving, spec };
  }

  /** Looks a second after the last time, or now; and again and again where others publish, too. */
  #lookSoon(): void {
    if (this.#state !== 'running' || this.#looking !== null || this.#lookTimer !== null) return;
    if (this.#pumps.size === 0) return;
    const { clock } = this.#o;
    const dueMs = this.#lookedAtMs + LOOK_MS - clock.monotonicMs();
    if (dueMs > 0) {
      this.#lookTimer = clock.after(dueMs, () => {
        this.#lookTimer = null;
        this.#lookSoon();
      });
      return;
    }
    this.#lookedAtMs = clock.monotonicMs();
    this.#looking = this.#look().finally(() => {
      this.#looking = null;
      // Once more when it is not shared any more: for what the other has published last.
      const isShared = this.#o.sharesStore();
      if (isShared || this.#wasShared || this.#fault) this.#lookSoon();
      this.#wasShared = isShared;
    });
  }

  async #look(): Promise<void> {
    const { app, store, clock, logger } = this.#o;
    const changes = new Map([...this.#pumps].map(([component, pump]) => [component, pump.changes]));
    let found: readonly Backlog[];
    try {
      found = await store.backlog(app, clock.nowMs());
      this.#fault = false;
    } catch (error) {
      if (!this.#fault)
        logger.error({ app, error: messageOf(error) }, 'what waits could not be counted; tried again');
      this.#fault = true;
      return;
    }
    const backlogs = new Map(found.map((backlog) => [backlog.component, backlog]));
    for (const [component, pump] of this.#pumps)
      pump.knows(backlogs.get(component) ?? null, changes.get(component) ?? -1);
  }
}
