import type {
  Delivery,
  EventChanged,
  EventStore,
  LeaseNode,
  LeaseOrder,
  NewWork,
  Settlement,
  SettledAs,
} from '../../../../src/model/event-store.ts';
import { NOW_MS } from './things.ts';

/** An unremarkable event for `receipts`, but for `fields`. */
export function newWork(id: string, fields: Partial<NewWork> = {}): NewWork {
  const publishedAtMs = fields.publishedAtMs ?? NOW_MS;
  return {
    app: 'shop',
    components: ['receipts'],
    id,
    kind: 'event',
    type: 'order.paid',
    source: '/components/checkout',
    subject: null,
    key: null,
    timeMs: publishedAtMs,
    contentType: 'application/json',
    attributes: '{}',
    data: new TextEncoder().encode(`{"id":"${id}"}`),
    publishedAtMs,
    dueAtMs: publishedAtMs,
    forgetAtMs: publishedAtMs + 14 * 86_400_000,
    dedupe: null,
    answerUntilMs: null,
    leaseFor: [],
    ...fields,
  };
}

export const DONE: SettledAs = { as: 'done', answer: null };

export function again(dueAtMs: number, counts = true): SettledAs {
  return { as: 'again', dueAtMs, counts, attempt: attemptOf(1) };
}

export function dead(forgetAtMs = NOW_MS + 1e9): SettledAs {
  return { as: 'dead', forgetAtMs, attempt: attemptOf(5), answer: null };
}

export function attemptOf(number: number): Delivery['attempts'][number] {
  return {
    number,
    beganAtMs: NOW_MS,
    tookMs: 12.5,
    error: { code: 'handler-failed', message: 'no "ink" \u{1f5a8}' },
  };
}

export function settlementOf(
  { app, component, id, attempt }: Omit<Settlement, 'outcome'>,
  outcome: SettledAs = DONE,
): Settlement {
  return { app, component, id, attempt, outcome };
}

/** What is mostly asked, in short. */
export class EventUser {
  readonly #events: EventStore;
  readonly #node: string;

  constructor(events: EventStore, node = 'n1') {
    this.#events = events;
    this.#node = node;
  }

  publish(...publish: NewWork[]): Promise<EventChanged['published']> {
    return this.#commit({ publish }).then(({ published }) => published);
  }

  settle(...settle: Settlement[]): Promise<readonly boolean[]> {
    return this.#commit({ settle }).then(({ settled }) => settled);
  }

  commitAt(
    nowMs: number,
    change: { publish?: readonly NewWork[]; settle?: readonly Settlement[] },
  ): Promise<EventChanged> {
    return this.#commit({ ...change, nowMs });
  }

  lease(order: Partial<LeaseOrder> = {}): Promise<readonly Delivery[]> {
    return this.#events.lease({
      ...{ app: 'shop', component: 'receipts', node: this.#node, nowMs: NOW_MS },
      ...{ limit: 100, maxBytes: 1e9, mostLeased: null },
      ...order,
    });
  }

  async leaseIds(order: Partial<LeaseOrder> = {}): Promise<string[]> {
    return (await this.lease(order)).map(({ id }) => id);
  }

  /** States by id, of one component. */
  async states(component = 'receipts'): Promise<Record<string, string>> {
    const records = await this.#events.list({ app: 'shop', component }, null, 10_000);
    return Object.fromEntries(
      records.toSorted((a, b) => (a.id < b.id ? -1 : 1)).map(({ id, state }) => [id, state]),
    );
  }

  #commit(change: {
    publish?: readonly NewWork[];
    settle?: readonly Settlement[];
    nowMs?: number;
  }): Promise<EventChanged> {
    const { publish = [], settle = [], nowMs = NOW_MS } = change;
    return this.#events.commit({ node: this.#node, nowMs, publish, settle });
  }
}

/** Those whose time is over, by one clock for all. */
export async function endedAt(events: EventStore, nowMs: number): Promise<readonly LeaseNode[]> {
  return (await events.nodes()).filter(({ aliveUntilMs }) => aliveUntilMs === null || aliveUntilMs <= nowMs);
}
