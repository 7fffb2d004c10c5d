import { FulcrumError, messageOf } from '../base/errors.ts';
import { nearest } from '../base/suggest.ts';
import type { AppEvents, LaterOrder, OwnFilter } from '../model/app-events.ts';
import type { RunnableSpec } from '../model/app.ts';
import type { EventOrder, Published } from '../model/event.ts';
import {
  COUNTED,
  type Backlog,
  type Delivery,
  type KeptAnswer,
  type NewWork,
  type WorkFilter,
  type WorkPlace,
  type WorkRecord,
} from '../model/event-store.ts';
import type { BacklogStatus, ScheduleStatus } from '../model/status.ts';
import type { Schedule } from '../model/work-settings.ts';
import { AppPumps } from './app-pumps.ts';
import { BatchWork } from './batch-work.ts';
import { checkOrders } from './check-order.ts';
import type { Committed } from './committer.ts';
import { eventWork, laterWork } from './new-work.ts';
import type { EventsApp, ServerEvents } from './server-events.ts';
import type { Scheduler, SchedulerParts, Serving } from './serving.ts';
import { bySteps, matchUnmatched } from './steps.ts';

export interface DurableEventsOptions {
  /** The app's id. */
  readonly app: string;
  readonly server: ServerEvents;
  /** Null: nothing serves yet. */
  readonly serving: () => Serving | null;
  /** Null: schedules are not fired here. */
  readonly scheduler: ((parts: SchedulerParts) => Scheduler) | null;
}

/** An event that was published while the release before still served may have been kept as one that nobody takes. */
const MATCH_AGAIN_MS = 30_000;

/**
 * The events, schedules and asynchronous invocations of one app.
 *
 *   open ── rest() ──▶ resting ── run() ──▶ open        resting: what is published is kept, and nothing is delivered
 *     └───────┴── close() ──▶ closed
 */
export class DurableEvents implements AppEvents, EventsApp {
  readonly #o: DurableEventsOptions;
  readonly #work: BatchWork;
  readonly #pumps: AppPumps;
  readonly #scheduler: Scheduler | null;
  #state: 'open' | 'resting' | 'closed' = 'resting';
  /** Whoever asks for backlogs at the same time is answered by one query. */
  #backlogs: Promise<readonly Backlog[]> | null = null;
  #matching: Promise<void> = Promise.resolve();

  constructor(o: DurableEventsOptions) {
    this.#o = o;
    const { app, server, serving } = o;
    const { store, committer, holder } = server;
    const { clock, logger, http, newTraceparent, random } = server.options;
    this.#work = new BatchWork({
      ...{ app, committer, holder, clock, logger, random, http, newTraceparent },
      published: (work) => this.#cameToBe(work),
      tickEnded: () => this.#scheduler?.settled(),
    });
    this.#pumps = new AppPumps({
      ...{ app, store, holder, clock, logger, random, serving },
      work: this.#work,
      isStoreFailing: () => committer.isFailing,
      sharesStore: server.sharesStore,
    });
    this.#scheduler =
      o.scheduler?.({
        ...{ app, clock, logger },
        schedules: () => schedulesOf(serving()),
        node: server.name,
        onFired: (component) => this.#pumps.of(component)?.expectMore(),
      }) ?? null;
    server.add(this);
  }

  /** What serves has changed: who takes what, and through what it is delivered. */
  served(): void {
    if (this.#state === 'closed') return;
    this.#scheduler?.changed();
    if (this.#state === 'open') this.run();
  }

  run(): void {
    if (this.#state === 'closed') return;
    this.#state = 'open';
    this.#pumps.run();
    this.#scheduler?.begin();
    this.#match();
    this.#o.server.options.clock.after(MATCH_AGAIN_MS, () => this.#match());
  }

  async rest(): Promise<void> {
    if (this.#state === 'open') this.#state = 'resting';
    await Promise.all([this.#scheduler?.rest(), this.#pumps.rest()]);
  }

  expectAnything(): void {
    this.#pumps.expectAnything();
  }

  /** After its releases have ended: resolves when the store has what became of all that was begun. */
  async close(): Promise<void> {
    await this.rest();
    this.#state = 'closed';
    this.#o.server.remove(this);
    await this.#scheduler?.close();
    await this.#matching;
    const { committer } = this.#o.server;
    // Where the store fails, the leases end by themselves.
    await Promise.race([this.#work.settled(), committer.flushed().then(() => committer.flushed())]);
  }

  async publish(from: string | null, events: readonly EventOrder[]): Promise<readonly Published[]> {
    const serving = this.#serving();
    checkOrders(events);
    if (events.length === 0) return [];
    const { app, server } = this.#o;
    const reserved: string[] = [];
    const leaseFor = (component: string): boolean => {
      const leases = this.#pumps.of(component)?.reserve() ?? false;
      if (leases) reserved.push(component);
      return leases;
    };
    let committed: Committed;
    let work: NewWork[];
    try {
      const { components, settings } = serving;
      const nowMs = server.options.clock.nowMs();
      work = events.map((order) => eventWork(order, from, { app, components, settings, nowMs, leaseFor }));
      committed = await server.committer.publish(work);
    } finally {
      for (const component of reserved) this.#pumps.of(component)?.unreserve();
    }
    return this.#keptAs(work, committed);
  }

  async later(order: LaterOrder): Promise<Published> {
    const spec = this.#runnable(order.component);
    const { app, server } = this.#o;
    const pump = this.#pumps.of(order.component);
    const leases = pump?.reserve() ?? false;
    try {
      const work = [laterWork(app, spec, order, server.options.clock.nowMs(), leases)];
      return this.#keptAs(work, await server.committer.publish(work))[0]!;
    } finally {
      if (leases) pump?.unreserve();
    }
  }

  async answer(id: string): Promise<KeptAnswer | null> {
    return await this.#o.server.store.answer(this.#o.app, id);
  }

  async list(filter: OwnFilter, before: WorkPlace | null, limit: number): Promise<readonly WorkRecord[]> {
    return await this.#o.server.store.list(this.#own(filter), before, limit);
  }

  async get(id: string): Promise<readonly Delivery[]> {
    return await this.#o.server.store.get(this.#o.app, id);
  }

  async count(filter: OwnFilter): Promise<number> {
    return await this.#o.server.store.count(this.#own(filter));
  }

  async retry(filter: OwnFilter): Promise<number> {
    const { store, options } = this.#o.server;
    return await this.#inSteps(filter, (own, limit) => store.retry(own, options.clock.nowMs(), limit));
  }

  async drop(filter: OwnFilter): Promise<number> {
    const { store } = this.#o.server;
    return await this.#inSteps(filter, (own, limit) => store.drop(own, limit));
  }

  async redrive(filter: OwnFilter, to: string): Promise<number> {
    const spec = this.#runnable(to);
    if (spec.subscription === null)
      throw new FulcrumError(
        'bad-request',
        `Component '${to}' takes no events: it has no \`events\` in its config.`,
      );
    const { store, options } = this.#o.server;
    return await this.#inSteps(filter, (own, limit) => store.redrive(own, to, options.clock.nowMs(), limit));
  }

  async backlog(component: string): Promise<BacklogStatus | null> {
    const { store, options } = this.#o.server;
    this.#backlogs ??= store
      .backlog(this.#o.app, options.clock.nowMs())
      .finally(() => (this.#backlogs = null));
    const found = (await this.#backlogs).find((one) => one.component === component);
    const spec = this.#o.serving()?.components.get(component);
    const takes =
      spec !== undefined &&
      spec.kind !== 'static' &&
      (spec.subscription !== null || (spec.kind === 'module' && spec.schedules.length > 0));
    if (found === undefined)
      return takes ? { waiting: 0, oldestDueAtMs: null, underWay: 0, later: 0, dead: 0 } : null;
    const { ready, oldestDueAtMs, leased, blocked, delayed, dead } = found;
    return { waiting: ready, oldestDueAtMs, underWay: leased, later: blocked + delayed, dead };
  }

  schedules(component: string): readonly ScheduleStatus[] {
    return this.#scheduler?.status(component) ?? [];
  }

  #keptAs(work: readonly NewWork[], { node, kept }: Committed): Published[] {
    return work.map((one, i) => {
      const { id, duplicate, leased } = kept[i]!;
      if (!duplicate) this.#cameToBe(one, leased, node);
      return { id, duplicate };
    });
  }

  /** What is kept from now on is delivered: from here, where it is leased for this server, or by whoever leases it. */
  #cameToBe(work: NewWork, leased: readonly string[] = [], node = ''): void {
    for (const component of work.components) {
      const pump = this.#pumps.of(component);
      if (leased.includes(component)) {
        const delivery = leasedDelivery(work, component);
        // What served has changed in this very moment.
        if (pump === null) this.#giveBack(delivery, node);
        else pump.arrived(delivery, node);
      } else if (work.dueAtMs > work.publishedAtMs) pump?.expectAt(work.dueAtMs);
      else if (work.key !== null) pump?.expectBlocked();
      else pump?.expectMore();
    }
  }

  #giveBack({ app, component, id, attempt }: Delivery, node: string): void {
    const dueAtMs = this.#o.server.options.clock.nowMs();
    const outcome = { as: 'again', dueAtMs, counts: false, attempt: null } as const;
    void this.#o.server.committer.settle(node, { app, component, id, attempt, outcome });
  }

  #match(): void {
    this.#matching = this.#matching.then(async () => {
      const { app, server, serving } = this.#o;
      const serves = serving();
      if (this.#state !== 'open' || serves === null) return;
      const { store, committer, options } = server;
      try {
        // What was published under what served before is in the store by then.
        await committer.flushed();
        const given = await matchUnmatched(store, app, serves.components, options.clock.nowMs());
        for (const component of given) this.#pumps.of(component)?.expectBlocked();
        if (given.size > 0)
          options.logger.info({ app, components: [...given] }, 'events that nothing took are delivered');
      } catch (error) {
        options.logger.warn(
          { app, error: messageOf(error) },
          'events that nothing took could not be looked through',
        );
      }
    });
  }

  async #inSteps(
    filter: OwnFilter,
    step: (own: WorkFilter, limit: number) => Promise<number>,
  ): Promise<number> {
    const own = this.#own(filter);
    const count = await this.#o.server.store.count(own);
    // Counts stop there.
    const most = count >= COUNTED ? Number.POSITIVE_INFINITY : count;
    try {
      return await bySteps(most, (limit) => step(own, limit));
    } finally {
      this.#pumps.expectAnything();
    }
  }

  #own(filter: OwnFilter): WorkFilter {
    return { ...filter, app: this.#o.app };
  }

  #runnable(component: string): RunnableSpec {
    const { components } = this.#serving();
    const spec = components.get(component);
    if (spec === undefined) {
      const near = nearest(component, components.keys());
      throw new FulcrumError(
        'not-found',
        `There is no component '${component}'.${near === null ? '' : ` Did you mean '${near}'?`}`,
      );
    }
    if (spec.kind === 'static')
      throw new FulcrumError(
        'bad-request',
        `'${component}' serves static files: it has nothing that could be invoked.`,
      );
    return spec;
  }

  #serving(): Serving {
    if (this.#state === 'closed')
      throw new FulcrumError('shutting-down', 'The app has ended.', { retryAfterS: 1 });
    const serving = this.#o.serving();
    if (serving === null)
      throw new FulcrumError('shutting-down', 'The app has not started yet.', { retryAfterS: 1 });
    return serving;
  }
}

function schedulesOf(serving: Serving | null): Map<string, readonly Schedule[]> | null {
  if (serving === null) return null;
  const all = new Map<string, readonly Schedule[]>();
  for (const spec of serving.components.values())
    if (spec.kind === 'module' && spec.schedules.length > 0) all.set(spec.name, spec.schedules);
  return all;
}

/** What the store would give of it, were it leased there. */
function leasedDelivery(work: NewWork, component: string): Delivery {
  const { app, id, kind, type, source, subject, key, timeMs, contentType, attributes, data } = work;
  const { publishedAtMs, dueAtMs } = work;
  return {
    ...{ app, component, id, kind, type, source, subject, key, timeMs, contentType, attributes, data },
    ...{ publishedAtMs, dueAtMs, dataBytes: data.length, state: 'leased', attempt: 1, attempts: [] },
  };
}
