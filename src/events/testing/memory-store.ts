import { FulcrumError } from '../../base/errors.ts';
import {
  COUNTED,
  KEPT_ATTEMPTS,
  type Backlog,
  type Delivery,
  type EventChange,
  type EventChanged,
  type EventStore,
  type KeptAnswer,
  type KeptWork,
  type LeaseNode,
  type LeaseOrder,
  type NewWork,
  type Settlement,
  type WorkFilter,
  type WorkPlace,
  type WorkRecord,
  type WorkState,
} from '../../model/event-store.ts';

interface Row extends Omit<Delivery, 'state' | 'attempt' | 'component' | 'dueAtMs' | 'attempts'> {
  component: string;
  state: WorkState;
  dueAtMs: number;
  attempt: number;
  attempts: Delivery['attempts'];
  node: string | null;
  order: number;
}

/**
 * An `EventStore` in memory, by its contract's diagram: what events are tested against where no database is the point. Each call is
 * one transaction and takes effect at once; its answer comes a microtask later.
 */
export class MemoryEventStore implements EventStore {
  readonly rows: Row[] = [];
  /** What was asked of it, by name: how much a thing costs. */
  readonly asked: Record<string, number> = {};
  /** Fails what is asked from now on, where set. `after`: the change is made all the same, and nobody hears of it. */
  failing: { readonly message: string; readonly after?: boolean } | null = null;
  /** Held back until it resolves. */
  gate: Promise<void> | null = null;
  readonly #nodes = new Map<string, number>();
  readonly #dedupe = new Map<string, { id: string; untilMs: number }>();
  readonly #answers = new Map<string, KeptAnswer>();
  #order = 0;

  async commit(change: EventChange): Promise<EventChanged> {
    return await this.#do('commit', () => {
      // Settlements first: what they free may be leased by what is published.
      const settled = change.settle.map((one) => this.#settle(one, change));
      const published = change.publish.map((work) => this.#publish(work, change));
      return { published, settled };
    });
  }

  async lease(o: LeaseOrder): Promise<readonly Delivery[]> {
    return await this.#do('lease', () => {
      const own = this.#of(o.app, o.component);
      this.#fallDue(own, o.nowMs);
      const leased = own.filter(({ state }) => state === 'leased').length;
      const most = Math.min(o.limit, o.mostLeased === null ? Infinity : Math.max(0, o.mostLeased - leased));
      const ready = own
        .filter(({ state, dueAtMs }) => state === 'ready' && dueAtMs <= o.nowMs)
        .sort((a, b) => a.dueAtMs - b.dueAtMs || a.order - b.order);
      const taken: Row[] = [];
      let bytes = 0;
      for (const row of ready) {
        if (taken.length >= most || (taken.length > 0 && bytes + row.data.length > o.maxBytes)) break;
        row.state = 'leased';
        row.node = o.node;
        row.attempt++;
        bytes += row.data.length;
        taken.push(row);
      }
      return taken.map(told);
    });
  }

  async beat(node: string, aliveUntilMs: number): Promise<void> {
    await this.#do('beat', () => void this.#nodes.set(node, aliveUntilMs));
  }

  async nodes(): Promise<readonly LeaseNode[]> {
    return await this.#do('nodes', () =>
      [...this.#nodes].map(([node, aliveUntilMs]) => ({ node, aliveUntilMs })),
    );
  }

  async reclaim(ended: readonly LeaseNode[] | { readonly allBut: string }): Promise<number> {
    return await this.#do('reclaim', () => {
      const isDead = (node: string): boolean =>
        'allBut' in ended
          ? node !== ended.allBut
          : ended.some((one) => one.node === node && one.aliveUntilMs === this.#nodes.get(node));
      let count = 0;
      for (const row of this.rows) {
        if (row.state !== 'leased' || !isDead(row.node!)) continue;
        row.state = 'ready';
        row.node = null;
        count++;
      }
      for (const node of [...this.#nodes.keys()]) if (isDead(node)) this.#nodes.delete(node);
      return count;
    });
  }

  async backlog(app: string, nowMs: number): Promise<readonly Backlog[]> {
    return await this.#do('backlog', () => {
      const components = new Set(
        this.rows.filter((row) => row.app === app).map(({ component }) => component),
      );
      return [...components].map((component) => {
        const own = this.#of(app, component);
        const count = (state: WorkState): number =>
          Math.min(COUNTED, own.filter((row) => row.state === state).length);
        const due = own.filter((row) => row.state === 'ready' && row.dueAtMs <= nowMs);
        const later = own.filter(
          (row) => (row.state === 'ready' && row.dueAtMs > nowMs) || row.state === 'delayed',
        );
        return {
          component,
          ready: Math.min(COUNTED, due.length),
          oldestDueAtMs: least(due),
          nextDueAtMs: least(later),
          leased: count('leased'),
          blocked: count('blocked'),
          delayed: Math.min(COUNTED, later.length),
          dead: count('dead'),
        };
      });
    });
  }

  async list(filter: WorkFilter, before: WorkPlace | null, limit: number): Promise<readonly WorkRecord[]> {
    return await this.#do('list', () =>
      this.rows
        .filter((row) => fits(row, filter))
        .sort((a, b) => b.publishedAtMs - a.publishedAtMs || b.order - a.order)
        .filter((row) => before === null || row.publishedAtMs < before.publishedAtMs)
        .slice(0, limit)
        .map(told),
    );
  }

  async get(app: string, id: string): Promise<readonly Delivery[]> {
    return await this.#do('get', () => this.rows.filter((row) => row.app === app && row.id === id).map(told));
  }

  async count(filter: WorkFilter): Promise<number> {
    return await this.#do('count', () => this.rows.filter((row) => fits(row, filter)).length);
  }

  async retry(filter: WorkFilter, nowMs: number, limit: number): Promise<number> {
    return await this.#do('retry', () => {
      const again = this.rows
        .filter((row) => fits(row, filter))
        .filter((row) => row.state === 'dead' || (row.state === 'ready' && row.dueAtMs > nowMs))
        .slice(0, limit);
      for (const row of again) this.#queue(row, row.component, nowMs);
      return again.length;
    });
  }

  async drop(filter: WorkFilter, limit: number): Promise<number> {
    return await this.#do('drop', () => {
      const gone = this.rows.filter((row) => fits(row, filter) && row.state !== 'leased').slice(0, limit);
      for (const row of gone) this.#remove(row);
      return gone.length;
    });
  }

  async redrive(filter: WorkFilter, to: string, nowMs: number, limit: number): Promise<number> {
    return await this.#do('redrive', () => {
      const moved = this.rows
        .filter((row) => fits(row, filter) && (row.state === 'dead' || row.state === 'unmatched'))
        .slice(0, limit);
      for (const row of moved) this.#queue(row, to, nowMs);
      return moved.length;
    });
  }

  async match(
    app: string,
    type: string,
    components: readonly string[],
    nowMs: number,
    limit: number,
  ): Promise<number> {
    return await this.#do('match', () => {
      const found = this.rows
        .filter((row) => row.app === app && row.state === 'unmatched' && row.type === type)
        .slice(0, limit);
      for (const row of found) {
        this.rows.splice(this.rows.indexOf(row), 1);
        for (const component of components) {
          const copy: Row = { ...row, order: this.#order++ };
          this.rows.push(copy);
          this.#queue(copy, component, nowMs);
        }
      }
      return found.length;
    });
  }

  async unmatchedTypes(app: string, limit: number): Promise<readonly string[]> {
    return await this.#do('unmatchedTypes', () =>
      [
        ...new Set(
          this.rows.filter((row) => row.app === app && row.state === 'unmatched').map(({ type }) => type),
        ),
      ].slice(0, limit),
    );
  }

  async answer(app: string, id: string): Promise<KeptAnswer | null> {
    return await this.#do('answer', () => this.#answers.get(`${app} ${id}`) ?? null);
  }

  async prune(nowMs: number): Promise<number> {
    return await this.#do('prune', () => {
      const old = this.rows.filter(
        ({ state, dueAtMs }) => (state === 'dead' || state === 'unmatched') && dueAtMs <= nowMs,
      );
      for (const row of old) this.#remove(row);
      for (const [key, { untilMs }] of [...this.#dedupe]) if (untilMs <= nowMs) this.#dedupe.delete(key);
      for (const [key, { forgetAtMs }] of [...this.#answers])
        if (forgetAtMs <= nowMs) this.#answers.delete(key);
      return old.length;
    });
  }

  async removeAll(app: string): Promise<void> {
    await this.#do('removeAll', () => {
      for (const row of this.rows.filter((one) => one.app === app))
        this.rows.splice(this.rows.indexOf(row), 1);
    });
  }

  #publish(work: NewWork, { node, nowMs }: EventChange): KeptWork {
    if (work.dedupe !== null) {
      const key = `${work.app} ${work.dedupe.key}`;
      const before = this.#dedupe.get(key);
      if (before !== undefined && before.untilMs > nowMs)
        return { id: before.id, duplicate: true, leased: [] };
      this.#dedupe.set(key, { id: work.id, untilMs: work.dedupe.untilMs });
    }
    const leased: string[] = [];
    for (const component of work.components) {
      const row = this.#add(work, component);
      const isLater = work.dueAtMs > work.publishedAtMs;
      row.state = isLater ? 'delayed' : this.#isTaken(row) ? 'blocked' : 'ready';
      if (row.state !== 'ready' || !work.leaseFor.includes(component)) continue;
      Object.assign(row, { state: 'leased', node, attempt: 1 });
      leased.push(component);
    }
    if (work.components.length === 0) this.#add(work, '').dueAtMs = work.forgetAtMs;
    if (work.answerUntilMs !== null)
      this.#answers.set(`${work.app} ${work.id}`, {
        ...{ app: work.app, id: work.id, component: work.components[0]!, kind: work.kind, type: work.type },
        ...{ state: 'waiting', createdAtMs: work.publishedAtMs, endedAtMs: null, answer: null },
        forgetAtMs: work.answerUntilMs,
      });
    return { id: work.id, duplicate: false, leased };
  }

  #settle({ app, component, id, attempt, outcome }: Settlement, { node, nowMs }: EventChange): boolean {
    const row = this.rows.find((one) => one.app === app && one.component === component && one.id === id);
    if (row?.state !== 'leased' || row.node !== node || row.attempt !== attempt) return false;
    row.node = null;
    if (outcome.as === 'again') {
      row.state = 'ready';
      row.dueAtMs = outcome.dueAtMs;
      if (outcome.attempt !== null) row.attempts = [...row.attempts, outcome.attempt].slice(-KEPT_ATTEMPTS);
      if (!outcome.counts) row.attempt--;
      return true;
    }
    if (outcome.as === 'dead') {
      row.state = 'dead';
      row.dueAtMs = outcome.forgetAtMs;
      row.attempts = [...row.attempts, outcome.attempt].slice(-KEPT_ATTEMPTS);
      this.#unblock(row);
    } else this.#remove(row);
    const kept = this.#answers.get(`${app} ${id}`);
    if (kept !== undefined)
      this.#answers.set(`${app} ${id}`, {
        ...kept,
        state: outcome.as === 'done' ? 'done' : 'failed',
        endedAtMs: nowMs,
        answer: outcome.answer,
      });
    return true;
  }

  #add(work: NewWork, component: string): Row {
    if (this.rows.some((row) => row.app === work.app && row.component === component && row.id === work.id))
      throw new FulcrumError('store-failed', `Two rows have the id ${work.id}.`);
    const { app, id, kind, type, source, subject, key, timeMs, contentType, attributes, data } = work;
    const { publishedAtMs, dueAtMs } = work;
    const row: Row = {
      ...{ app, component, id, kind, type, source, subject, key, timeMs, contentType, attributes, data },
      ...{ publishedAtMs, dueAtMs, dataBytes: data.length, state: 'unmatched', attempt: 0, attempts: [] },
      ...{ node: null, order: this.#order++ },
    };
    this.rows.push(row);
    return row;
  }

  #queue(row: Row, component: string, nowMs: number): void {
    Object.assign(row, { component, dueAtMs: nowMs, attempt: 0, node: null, state: 'blocked' });
    if (!this.#isTaken(row)) row.state = 'ready';
  }

  #remove(row: Row): void {
    this.rows.splice(this.rows.indexOf(row), 1);
    this.#unblock(row);
  }

  #unblock({ app, component, key }: Row): void {
    if (key === null) return;
    const own = this.#of(app, component).filter((row) => row.key === key);
    if (own.some(({ state }) => state === 'ready' || state === 'leased')) return;
    const next = own.filter(({ state }) => state === 'blocked').sort((a, b) => a.order - b.order)[0];
    if (next !== undefined) next.state = 'ready';
  }

  /** Whether another of its key is ready or leased, or waits before it. */
  #isTaken(row: Row): boolean {
    return (
      row.key !== null &&
      this.#of(row.app, row.component).some(
        (one) => one !== row && one.key === row.key && ['ready', 'leased', 'blocked'].includes(one.state),
      )
    );
  }

  #fallDue(rows: readonly Row[], nowMs: number): void {
    for (const row of rows.filter(({ state, dueAtMs }) => state === 'delayed' && dueAtMs <= nowMs))
      row.state = this.#isTaken(row) ? 'blocked' : 'ready';
  }

  #of(app: string, component: string): Row[] {
    return this.rows.filter((row) => row.app === app && row.component === component);
  }

  async #do<R>(name: string, work: () => R): Promise<R> {
    this.asked[name] = (this.asked[name] ?? 0) + 1;
    await this.gate;
    const { failing } = this;
    const fault = failing === null ? null : new FulcrumError('store-failed', failing.message);
    if (fault !== null && failing?.after !== true) throw fault;
    const result = work();
    await Promise.resolve();
    if (fault !== null) throw fault;
    return result;
  }
}

function fits(row: Row, { app, component, type, state, key, ids }: WorkFilter): boolean {
  return (
    row.app === app &&
    (component === undefined || row.component === component) &&
    (type === undefined || row.type === type) &&
    (state === undefined || row.state === state) &&
    (key === undefined || row.key === key) &&
    (ids === undefined || ids.includes(row.id))
  );
}

function told({ node: _node, order: _order, ...row }: Row): Delivery {
  return { ...row };
}

function least(rows: readonly Row[]): number | null {
  return rows.length === 0 ? null : Math.min(...rows.map(({ dueAtMs }) => dueAtMs));
}
