import type { FulcrumError } from '../../base/errors.ts';
import type { LaterOrder } from '../../model/app-events.ts';
import type { KeptAnswer, WorkAnswer } from '../../model/event-store.ts';
import type { Published } from '../../model/event.ts';
import type { AsyncEntrant, AsyncRequests } from '../async-requests.ts';

type Asked = Parameters<AsyncRequests['admit']>[1];

/** Keeps in memory what is asked for, and answers as a test says. */
export class FakeAsyncRequests implements AsyncRequests {
  readonly orders: LaterOrder[] = [];
  readonly admitted: [component: string, asks: Asked, client: string | null][] = [];
  readonly answers = new Map<string, KeptAnswer>();
  /** Ids that were looked for. */
  readonly looked: string[] = [];
  refusal: FulcrumError | null = null;
  failure: Error | null = null;

  admit(component: string, asks: Asked, { client }: AsyncEntrant): void {
    this.admitted.push([component, asks, client]);
    if (this.refusal !== null) throw this.refusal;
  }

  later(order: LaterOrder): Promise<Published> {
    if (this.failure !== null) return Promise.reject(this.failure);
    this.orders.push(order);
    const id = `a_0123456789abcdef${this.orders.length}`;
    this.keep(id, { component: order.component });
    return Promise.resolve({ id, duplicate: false });
  }

  answer(id: string): Promise<KeptAnswer | null> {
    this.looked.push(id);
    return this.failure === null
      ? Promise.resolve(this.answers.get(id) ?? null)
      : Promise.reject(this.failure);
  }

  keep(id: string, changes: Partial<KeptAnswer>): void {
    this.answers.set(id, {
      ...{ app: 'shop', id, component: 'report', kind: 'request', type: 'POST /', state: 'waiting' },
      ...{ createdAtMs: 0, endedAtMs: null, forgetAtMs: 1, answer: null },
      ...changes,
    });
  }

  /** The work of `id` has ended. */
  end(id: string, state: 'done' | 'failed', answer: Partial<WorkAnswer>): void {
    this.keep(id, {
      state,
      answer: {
        ...{ outcome: 'ok', status: 200, fields: '[]', contentType: 'text/plain', data: new Uint8Array() },
        ...{ error: null },
        ...answer,
      },
    });
  }
}
