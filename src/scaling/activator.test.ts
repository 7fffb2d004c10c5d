import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { FulcrumError } from '../base/errors.ts';
import { FakeClock } from '../base/fake-clock.ts';
import type { CallStep } from '../model/invocation.ts';
import type { Slot, SlotRequest } from '../model/slot.ts';
import { Activator } from './activator.ts';

const clock = new FakeClock();

function context(requestId: string, signal = new AbortController().signal, deadlineMs = 1e9): SlotRequest {
  return {
    component: 'hello',
    call: null,
    requestId,
    traceparent: '',
    trigger: 'route',
    deadlineMs,
    signal,
    client: null,
    affinityKey: null,
  };
}

/** A queue, and the ids in the order in which they were served. */
function queueOf(...ids: string[]): {
  queue: Activator;
  left: () => number;
  outcomes: Map<string, Promise<string>>;
} {
  let leaves = 0;
  const queue = new Activator('shop', clock, () => leaves++);
  const outcomes = new Map<string, Promise<string>>();
  for (const id of ids) {
    outcomes.set(
      id,
      queue.enter(context(id), 1_000).then(
        () => 'served',
        (error: FulcrumError) => error.code,
      ),
    );
  }
  return { queue, left: () => leaves, outcomes };
}

function serveAll(queue: Activator, most = Number.POSITIVE_INFINITY): string[] {
  const served: string[] = [];
  queue.serve((waiter) => {
    if (served.length >= most) return null;
    served.push(waiter.request.requestId);
    return {} as Slot;
  });
  return served;
}

describe('Activator', () => {
  it('serves first come, first served, and stops where there is no slot', () => {
    const { queue } = queueOf('a', 'b', 'c');
    assert.deepEqual(serveAll(queue, 2), ['a', 'b']);
    assert.equal(queue.size, 1);
    assert.deepEqual(serveAll(queue), ['c']);
  });

  it('serves first, among themselves in turn, calls that come back to where their chain has been', () => {
    const { queue } = queueOf('a', 'b');
    const first = { component: 'shop', function: 'there', by: null, depth: 1 };
    const chain = (...names: string[]): CallStep =>
      names.reduce<CallStep>((by, component, i) => ({ component, function: 'on', by, depth: i + 2 }), first);
    const enter = (requestId: string, call: CallStep): void =>
      void queue.enter({ ...context(requestId), trigger: 'call', call }, 9);
    enter('back 1', chain('cart', 'shop'));
    enter('on', { ...first, component: 'shop', by: { ...first, component: 'cart' } });
    enter('back 2', chain('cart', 'pricing', 'shop'));
    assert.equal(queue.calls, 3);
    assert.deepEqual(serveAll(queue, 1), ['back 1']);
    enter('back 3', chain('shop'));
    assert.deepEqual(serveAll(queue, 2), ['back 2', 'back 3']);
    enter('back 4', chain('cart', 'shop'));
    assert.deepEqual(serveAll(queue), ['back 4', 'a', 'b', 'on']);
    assert.deepEqual([queue.calls, queue.size], [0, 0]);
  });

  it('of a group knows its members again', () => {
    const queue = new Activator('core', clock, () => undefined, ['cart', 'stock']);
    void queue.enter({ ...context('a'), component: 'cart' }, 9);
    const out = {
      component: 'mail',
      function: 'send',
      by: { component: 'cart', function: 'place', by: null, depth: 1 },
      depth: 2,
    };
    const call = { component: 'stock', function: 'left', by: out, depth: 3 };
    void queue.enter({ ...context('b'), component: 'stock', trigger: 'call', call }, 9);
    assert.deepEqual(serveAll(queue), ['b', 'a']);
  });

  it('refuses one more than may wait', () => {
    const { queue } = queueOf('a', 'b');
    assert.throws(
      () => void queue.enter(context('c'), 2),
      (error: FulcrumError) => error.code === 'overloaded' && error.retryAfterS === 1,
    );
    assert.equal(queue.size, 2);
  });

  it('lets one go from the middle when its signal aborts, with the reason', async () => {
    const abort = new AbortController();
    const { queue, left } = queueOf('a');
    const gone = queue.enter(context('b', abort.signal), 9);
    void queue.enter(context('c'), 9);
    abort.abort(new FulcrumError('client-gone', 'gone'));
    await assert.rejects(gone, { code: 'client-gone' });
    assert.equal(left(), 1);
    assert.deepEqual(serveAll(queue), ['a', 'c']);
    assert.equal(queue.size, 0);
  });

  it('does not start what is past its deadline', async () => {
    const { queue } = queueOf();
    const late = queue.enter(context('late', undefined, clock.monotonicMs() + 5), 9);
    void queue.enter(context('next'), 9);
    const rejected = assert.rejects(late, { code: 'overloaded' });
    await clock.advance(5);
    assert.deepEqual(serveAll(queue), ['next']);
    await rejected;
  });

  it('turns away those who came last', async () => {
    const { queue, outcomes } = queueOf('a', 'b', 'c');
    queue.refuseNewest(2, new FulcrumError('start-failed', 'no'));
    assert.deepEqual(serveAll(queue), ['a']);
    assert.deepEqual(await Promise.all(outcomes.values()), ['served', 'start-failed', 'start-failed']);
    queue.refuseNewest(5, new FulcrumError('start-failed', 'no'));
  });

  it('an abort after the slot was given changes nothing', () => {
    const abort = new AbortController();
    const { queue } = queueOf();
    void queue.enter(context('a', abort.signal), 9);
    serveAll(queue);
    abort.abort();
    assert.equal(queue.size, 0);
  });
});
