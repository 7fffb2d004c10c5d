import type {
  Backlog,
  Delivery,
  EventChange,
  EventChanged,
  EventStore,
  KeptAnswer,
  LeaseNode,
  LeaseOrder,
  NewWork,
  WorkFilter,
  WorkPlace,
  WorkRecord,
  WorkState,
} from '../model/event-store.ts';
import { COUNTED } from '../model/event-store.ts';
import type { Pick } from './operations/event-change.ts';
import { keptText } from './operations/event-rows.ts';
import type { Caller } from './operations/index.ts';

/** So many are changed in one transaction. */
const CHANGE_STEP = 250;
const STATES: readonly WorkState[] = ['delayed', 'ready', 'blocked', 'leased', 'dead', 'unmatched'];

interface Picking {
  readonly states: readonly WorkState[];
  readonly newestFirst: boolean;
  readonly before: WorkPlace | null;
  /** Of `ready` ones only those that are due later. */
  readonly dueAfterMs: number | null;
}

type Picked = Pick & { readonly publishedAtMs: number };

/** The port over a database. What may be much goes by steps, between which everybody else gets a turn. */
export class Events implements EventStore {
  readonly #database: Caller;

  constructor(database: Caller) {
    this.#database = database;
  }

  async commit(change: EventChange): Promise<EventChanged> {
    return this.#database.call('events.commit', {
      ...change,
      publish: change.publish.map(withOwnBytes),
    });
  }

  async lease(order: LeaseOrder): Promise<readonly Delivery[]> {
    return this.#database.call('events.lease', order);
  }

  beat(node: string, aliveUntilMs: number): Promise<void> {
    return this.#database.call('events.beat', { node, aliveUntilMs });
  }

  nodes(): Promise<readonly LeaseNode[]> {
    return this.#database.call('events.nodes', null);
  }

  async reclaim(ended: readonly LeaseNode[] | { readonly allBut: string }): Promise<number> {
    let sum = 0;
    for (let more = true; more;) {
      const step = await this.#database.call('events.reclaim', ended);
      sum += step.count;
      more = step.more;
    }
    return sum;
  }

  backlog(app: string, nowMs: number): Promise<readonly Backlog[]> {
    return this.#database.call('events.backlog', { app, nowMs });
  }

  /** Of each component and state the newest, and of those the newest of all. */
  async list(filter: WorkFilter, before: WorkPlace | null, limit: number): Promise<readonly WorkRecord[]> {
    const picking = { states: statesOf(filter), newestFirst: true, before, dueAfterMs: null };
    const found: Picked[] = [];
    if (filter.ids !== undefined) {
      for await (const picks of this.#picks(filter, picking, limit)) found.push(...picks);
    } else {
      for (const component of await this.#components(filter)) {
        for (const state of picking.states) {
          let left = limit;
          const one = { ...filter, component };
          for await (const picks of this.#scans(one, { ...picking, states: [state] }, () => left)) {
            found.push(...picks);
            left -= picks.length;
          }
          // Only the newest can come into the page.
          if (found.length > limit * 4) keepNewest(found, limit);
        }
      }
    }
    keepNewest(found, limit);
    const records = await this.#database.call('events.records', { app: filter.app, picks: found });
    const byName = new Map(records.map((record) => [nameOf(record), record]));
    return found.flatMap((pick) => byName.get(nameOf(pick)) ?? []);
  }

  get(app: string, id: string): Promise<readonly Delivery[]> {
    return this.#database.call('events.get', { app, id: keptText(id) });
  }

  async count(filter: WorkFilter): Promise<number> {
    const { app, type, key, ids } = filter;
    let sum = 0;
    if (type === undefined && key === undefined && ids === undefined) {
      for (const component of await this.#components(filter)) {
        for (const state of statesOf(filter)) {
          sum += await this.#database.call('events.count', { app, component, state });
          if (sum >= COUNTED) return COUNTED;
        }
      }
      return sum;
    }
    const picking = { states: statesOf(filter), newestFirst: false, before: null, dueAfterMs: null };
    for await (const picks of this.#picks(filter, picking, COUNTED)) sum += picks.length;
    return sum;
  }

  retry(filter: WorkFilter, nowMs: number, limit: number): Promise<number> {
    const states = statesOf(filter, ['dead', 'ready']);
    return this.#change(filter, { states, dueAfterMs: nowMs }, limit, (picks) =>
      this.#database.call('events.retry', { app: filter.app, picks, nowMs }),
    );
  }

  drop(filter: WorkFilter, limit: number): Promise<number> {
    // What is ready last: behind each that is dropped another would become so.
    const states = statesOf(filter, ['delayed', 'blocked', 'ready', 'dead', 'unmatched']);
    return this.#change(filter, { states, dueAfterMs: null }, limit, (picks) =>
      this.#database.call('events.drop', { app: filter.app, picks }),
    );
  }

  redrive(filter: WorkFilter, to: string, nowMs: number, limit: number): Promise<number> {
    // Of a component that is no more, whoever asks names the state.
    const states =
      filter.state === undefined
        ? (['dead', 'unmatched'] as const)
        : statesOf(filter, ['delayed', 'ready', 'blocked', 'dead', 'unmatched']);
    return this.#change(filter, { states, dueAfterMs: null }, limit, (picks) =>
      this.#database.call('events.redrive', { app: filter.app, picks, to, nowMs }),
    );
  }

  async match(
    app: string,
    type: string,
    components: readonly string[],
    nowMs: number,
    limit: number,
  ): Promise<number> {
    if (components.length === 0) return 0;
    let sum = 0;
    while (sum < limit) {
      const step = Math.min(CHANGE_STEP, limit - sum);
      const count = await this.#database.call('events.match', {
        ...{ app, type, components, nowMs, limit: step },
      });
      sum += count;
      if (count < step) break;
    }
    return sum;
  }

  unmatchedTypes(app: string, limit: number): Promise<readonly string[]> {
    return this.#database.call('events.unmatchedTypes', { app, limit });
  }

  answer(app: string, id: string): Promise<KeptAnswer | null> {
    return this.#database.call('events.answer', { app, id: keptText(id) });
  }

  async prune(nowMs: number): Promise<number> {
    let sum = 0;
    for (let more = true; more;) {
      const step = await this.#database.call('events.prune', nowMs);
      sum += step.forgotten;
      more = step.more;
    }
    return sum;
  }

  async removeAll(app: string): Promise<void> {
    while (await this.#database.call('events.remove', app));
  }

  /** The oldest first, so that what is of one key keeps its order. */
  async #change(
    filter: WorkFilter,
    o: { readonly states: readonly WorkState[]; readonly dueAfterMs: number | null },
    limit: number,
    change: (picks: readonly Pick[]) => Promise<number>,
  ): Promise<number> {
    let sum = 0;
    const picking = { ...o, newestFirst: false, before: null };
    const left = (): number => Math.min(CHANGE_STEP, limit - sum);
    const source =
      filter.ids === undefined ? this.#scans(filter, picking, left) : this.#ofIds(filter, picking);
    for await (const picks of source) {
      for (let at = 0; at < picks.length && sum < limit;) {
        const some = picks.slice(at, at + left());
        at += some.length;
        sum += await change(some.map(({ id, component }) => ({ id, component })));
      }
      if (sum >= limit) break;
    }
    return sum;
  }

  async *#picks(filter: WorkFilter, picking: Picking, limit: number): AsyncGenerator<readonly Picked[]> {
    let left = limit;
    const source =
      filter.ids === undefined ? this.#scans(filter, picking, () => left) : this.#ofIds(filter, picking);
    for await (const picks of source) {
      yield picks.slice(0, left);
      left -= picks.length;
      if (left <= 0) return;
    }
  }

  /** @param left how many more are wanted; it is asked again before each step. */
  async *#scans(filter: WorkFilter, picking: Picking, left: () => number): AsyncGenerator<readonly Picked[]> {
    const { newestFirst, dueAfterMs, before } = picking;
    for (const component of await this.#components(filter)) {
      for (const state of picking.states) {
        for (let after = before, more = true; more && left() > 0;) {
          const scan = { filter, component, state, newestFirst, after, limit: left(), dueAfterMs };
          const { picks, next } = await this.#database.call('events.scan', scan);
          yield picks;
          after = next;
          more = next !== null;
        }
      }
    }
  }

  async *#ofIds(filter: WorkFilter, picking: Picking): AsyncGenerator<readonly Picked[]> {
    const { before, states, dueAfterMs } = picking;
    const ids = filter.ids ?? [];
    for (let at = 0; at < ids.length; at += CHANGE_STEP) {
      const found = await this.#database.call('events.pick', {
        ...filter,
        ids: ids.slice(at, at + CHANGE_STEP),
      });
      yield found.filter(
        (pick) =>
          states.includes(pick.state) &&
          (dueAfterMs === null || pick.state !== 'ready' || pick.dueAtMs > dueAfterMs) &&
          (before === null || newestFirst(before, pick) < 0),
      );
    }
  }

  async #components(filter: WorkFilter): Promise<readonly string[]> {
    if (filter.component !== undefined) return [keptText(filter.component)];
    return this.#database.call('events.components', filter.app);
  }
}

/** What crosses to the store's thread is copied with all of the buffer that it is a part of: a request's body, or a pool. */
function withOwnBytes(work: NewWork): NewWork {
  const { data } = work;
  if (data.byteLength === data.buffer.byteLength) return work;
  return { ...work, data: Uint8Array.prototype.slice.call(data) };
}

/** Those of `able` that the filter lets through. */
function statesOf(filter: WorkFilter, able: readonly WorkState[] = STATES): readonly WorkState[] {
  return filter.state === undefined ? able : able.filter((state) => state === filter.state);
}

function keepNewest(picks: Picked[], limit: number): void {
  picks.sort(newestFirst);
  if (picks.length > limit) picks.length = limit;
}

function newestFirst(a: Picked | WorkPlace, b: Picked | WorkPlace): number {
  if (a.publishedAtMs !== b.publishedAtMs) return b.publishedAtMs - a.publishedAtMs;
  if (a.id !== b.id) return a.id < b.id ? 1 : -1;
  return a.component < b.component ? 1 : a.component > b.component ? -1 : 0;
}

function nameOf({ id, component }: Pick): string {
  return JSON.stringify([id, component]);
}
