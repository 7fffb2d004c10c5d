import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { FulcrumError } from '../base/errors.ts';
import type { Published } from '../model/event.ts';
import { DEFAULT_ASYNC, DEFAULT_RETRY } from '../model/work-settings.ts';
import { readCloudEvents } from './cloudevents/read.ts';
import { component, failedWith, OK, order, Scene, subscription, type Invoked } from './testing/scene.ts';

const receipts = component('receipts', { subscription: subscription(['order.*']) });
const stock = component('stock', { subscription: subscription(['order.paid'], { batchSize: 1 }) });
const data = ({ messages }: Invoked): unknown[] => messages.map((message) => message.data);

describe('what is published', () => {
  it('goes to every component that takes its type, and is gone when all have done with it', async () => {
    const scene = await Scene.begin({ components: [receipts, stock] });
    const [published] = await scene.publish(order('order.paid', { cents: 5 }, { subject: 'o-1' }));
    assert.deepEqual(
      scene.open.map(({ component: name }) => name),
      ['receipts', 'stock'],
    );
    const { messages, seed } = scene.open[0]!;
    assert.deepEqual(messages[0], {
      ...{ id: published!.id, type: 'order.paid', source: '/components/checkout', subject: 'o-1', key: null },
      ...{ time: scene.clock.nowMs(), attempt: 1, contentType: 'application/json', data: { cents: 5 } },
      traceparent: null,
    });
    assert.equal(seed.trigger, 'event');
    await scene.end();
    assert.deepEqual(scene.store.rows, []);
  });

  it('costs one write to publish and one to be done with, where nothing is in the way', async () => {
    const scene = await Scene.begin({ components: [receipts] });
    await scene.publish(order('order.paid'));
    await scene.end();
    const { commit = 0, lease = 0 } = { ...scene.store.asked };
    await scene.publish(order('order.paid'));
    await scene.end();
    assert.equal(scene.store.asked['commit']! - commit, 2);
    assert.equal(scene.store.asked['lease'], lease);
  });

  it('is kept where nobody takes it, and given to who does after a deploy', async () => {
    const scene = await Scene.begin({ components: [receipts] });
    await scene.publish(order('cart.left', 1), order('cart.left', 2));
    assert.deepEqual(
      scene.store.rows.map(({ state }) => state),
      ['unmatched', 'unmatched'],
    );
    scene.components = new Map([['mails', component('mails', { subscription: subscription(['cart.*']) })]]);
    scene.events.served();
    await scene.settle();
    assert.deepEqual(data(scene.open[0]!), [1, 2]);
  });

  it('is refused where nobody takes it and the app wants none such, all that is published with it, too', async () => {
    const scene = await Scene.begin({ components: [receipts], settings: { unmatched: 'refuse' } });
    await assert.rejects(scene.publish(order('order.paid'), order('cart.left')), { code: 'event-unmatched' });
    assert.deepEqual(scene.store.rows, []);
    // What was held for it is free again.
    await scene.publish(order('order.paid'));
    assert.equal(scene.open.length, 1);
  });

  it('is a duplicate by its dedupe key, or by the id and source that it came with', async () => {
    const scene = await Scene.begin({ components: [receipts] });
    const [first] = await scene.publish(order('order.paid', 1, { dedupe: 'o-1' }));
    const [second] = await scene.publish(order('order.paid', 2, { dedupe: 'o-1' }));
    assert.deepEqual(second, { id: first!.id, duplicate: true });
    const outside = { id: 'abc', source: 'https://bank.example' };
    const [third] = await scene.publish(order('order.paid', 3, outside));
    assert.deepEqual(await scene.publish(order('order.paid', 4, outside)), [
      { id: third!.id, duplicate: true },
    ]);
    assert.equal(scene.invoked.length, 2);
    await scene.pass(300_001);
    assert.equal((await scene.publish(order('order.paid', 5, outside)))[0]!.duplicate, false);
  });

  it('from outside is no duplicate of one whose dedupe key an author has made of the same words', async () => {
    const scene = await Scene.begin({ components: [receipts] });
    const fields = ['ce-specversion', '1.0', 'ce-id', '7', 'ce-source', 'cart', 'ce-type', 'order.paid'];
    const outside = (): Promise<readonly Published[]> =>
      scene.events.publish(null, readCloudEvents(null, fields, Buffer.alloc(0)));
    const [own] = await scene.publish(order('order.paid', 1, { dedupe: 'cart 7' }));
    const [first] = await outside();
    assert.equal(first!.duplicate, false);
    assert.notEqual(first!.id, own!.id);
    assert.deepEqual(await outside(), [{ id: first!.id, duplicate: true }]);
  });

  it('is held back for as long as it is delayed', async () => {
    const scene = await Scene.begin({ components: [receipts] });
    await scene.publish(order('order.paid', 1, { delayMs: 60_000 }));
    await scene.pass(59_000);
    assert.equal(scene.invoked.length, 0);
    await scene.pass(1_000);
    assert.equal(scene.invoked.length, 1);
  });

  it('is told 503 where the store fails, and goes on when it is back', async () => {
    const scene = await Scene.begin({ components: [receipts] });
    scene.store.failing = { message: 'database or disk is full' };
    await assert.rejects(scene.publish(order('order.paid')), {
      code: 'store-failed',
      message: /disk is full/,
      status: 503,
    });
    scene.store.failing = null;
    await scene.publish(order('order.paid'));
    await scene.pass(5_000);
    assert.equal(scene.open.length, 1);
  });

  it('asks nothing of the store while there is nothing to do', async () => {
    const scene = await Scene.begin({ components: [receipts] });
    await scene.publish(order('order.paid'));
    await scene.end();
    await scene.pass(120_000);
    const before = { ...scene.store.asked };
    await scene.pass(60_000);
    const { lease, backlog, commit, beat } = scene.store.asked;
    assert.deepEqual(
      { lease, backlog, commit, beat },
      {
        lease: before['lease'],
        backlog: before['backlog'],
        commit: before['commit'],
        beat: before['beat'],
      },
    );
  });
});

describe('a batch', () => {
  it('has no more than its size, one of each key, and what is behind a key comes in order', async () => {
    const own = component('receipts', { subscription: subscription(['*'], { batchSize: 3 }) });
    const scene = await Scene.begin({ components: [own] });
    scene.window = 1;
    const keyed = [1, 2, 3].flatMap((n) => ['a', 'b'].map((key) => order('t', `${key}${n}`, { key })));
    await scene.publish(...keyed);
    const seen: unknown[][] = [];
    while (scene.open.length > 0) {
      seen.push(data(scene.open[0]!));
      await scene.end();
    }
    assert.deepEqual(seen, [
      ['a1', 'b1'],
      ['a2', 'b2'],
      ['a3', 'b3'],
    ]);
  });

  it('that is not full is waited for as long as it says', async () => {
    const own = component('receipts', {
      subscription: subscription(['*'], { batchSize: 3, batchWaitMs: 5_000 }),
    });
    const scene = await Scene.begin({ components: [own] });
    await scene.publish(order('t', 1));
    await scene.pass(4_000);
    await scene.publish(order('t', 2));
    assert.equal(scene.open.length, 0);
    await scene.pass(1_000);
    assert.deepEqual(data(scene.open[0]!), [1, 2]);
    await scene.publish(order('t', 3), order('t', 4), order('t', 5));
    assert.deepEqual(data(scene.open[1]!), [3, 4, 5]);
  });

  it('is settled message by message: what is acknowledged is at once, and stays so when the handler fails', async () => {
    const scene = await Scene.begin({ components: [receipts] });
    scene.window = 1;
    await scene.publish(order('order.paid', 1), order('order.paid', 2), order('order.paid', 3));
    const [first, second, third] = scene.open[0]!.messages;
    scene.open[0]!.ack(first!.id);
    await scene.settle();
    assert.deepEqual(
      scene.store.rows.map(({ id }) => id),
      [second!.id, third!.id],
    );
    scene.open[0]!.ack(second!.id);
    scene.open[0]!.retry(third!.id, 20_000);
    await scene.end();
    assert.deepEqual(
      scene.store.rows.map(({ id, dueAtMs }) => [id, dueAtMs]),
      [[third!.id, scene.clock.nowMs() + 20_000]],
    );
    await scene.pass(20_000);
    assert.deepEqual(
      scene.open[0]!.messages.map(({ id, attempt }) => [id, attempt]),
      [[third!.id, 2]],
    );
    await scene.end();
    assert.equal(scene.server.holder.held, 0);
  });

  it('that fails as a whole comes again one by one, so that only the poison is left', async () => {
    const scene = await Scene.begin({ components: [receipts] });
    scene.answer = (invoked) => (data(invoked).includes('poison') ? failedWith('instance-crashed') : OK);
    await scene.publish(order('order.paid', 'a'), order('order.paid', 'poison'), order('order.paid', 'b'));
    await scene.pass(60_000);
    assert.deepEqual(
      scene.invoked.slice(0, 4).map((one) => data(one).length),
      [3, 1, 1, 1],
    );
    const [dead, ...others] = scene.store.rows;
    assert.deepEqual([dead!.state, dead!.attempt, dead!.attempts.length, others], ['dead', 5, 5, []]);
    assert.deepEqual(dead!.attempts[0]!.error, {
      code: 'instance-crashed',
      message: 'It failed: instance-crashed.',
    });
    assert.equal(dead!.dueAtMs > scene.clock.nowMs() + 13 * 86_400_000, true);
  });
});

describe('what fails', () => {
  it('comes again after a pause that doubles, or after the one that was asked for', async () => {
    const scene = await Scene.begin({ components: [stock] });
    await scene.publish(order('order.paid'));
    const dueIn = (): number => scene.store.rows[0]!.dueAtMs - scene.clock.nowMs();
    await scene.end(failedWith('handler-error'));
    assert.equal(dueIn(), 500);
    await scene.pass(500);
    await scene.end(failedWith('timeout'));
    assert.equal(dueIn(), 1_000);
    await scene.pass(1_000);
    await scene.end(failedWith('handler-error', 30));
    assert.equal(dueIn(), 30_000);
  });

  it('blocks no more than its own key until it is dead', async () => {
    const scene = await Scene.begin({ components: [stock] });
    scene.answer = (invoked) => (data(invoked)[0] === 'bad' ? failedWith('handler-error') : OK);
    await scene.publish(
      order('order.paid', 'bad', { key: 'a' }),
      order('order.paid', 'behind', { key: 'a' }),
    );
    await scene.publish(order('order.paid', 'other', { key: 'b' }));
    assert.deepEqual(
      scene.invoked.map((one) => data(one)[0]),
      ['bad', 'other'],
    );
    await scene.pass(60_000);
    assert.equal(scene.invoked.at(-1)!.messages[0]!.data, 'behind');
    assert.deepEqual(
      scene.store.rows.map(({ state }) => state),
      ['dead'],
    );
  });

  it('is no attempt where the platform refuses: the component is left alone for longer and longer, then tried with one', async () => {
    const scene = await Scene.begin({ components: [stock] });
    scene.refusal = new FulcrumError('overloaded', 'no room', { retryAfterS: 1 });
    await scene.publish(...Array.from({ length: 20 }, (_, i) => order('order.paid', i)));
    await scene.pass(600_000);
    const { lease = 0 } = scene.store.asked;
    assert.equal(lease < 20, true, `${lease} leases in ten minutes`);
    assert.deepEqual(
      new Set(scene.store.rows.map(({ attempt, attempts }) => attempt + attempts.length)),
      new Set([0]),
    );
    scene.refusal = null;
    await scene.pass(300_000);
    assert.equal(scene.open.length, 1);
    await scene.end();
    assert.equal(scene.open.length, 19);
  });

  it('is dead at once where the component takes no events any more', async () => {
    const scene = await Scene.begin({ components: [stock] });
    scene.window = 0;
    await scene.publish(order('order.paid'));
    scene.components = new Map([['stock', component('stock')]]);
    scene.window = 10;
    scene.events.served();
    await scene.pass(1_000);
    assert.equal(scene.store.rows[0]!.state, 'dead');
    assert.equal(scene.invoked.length, 0);
  });
});

describe('how much is under way', () => {
  it('is no more than scaling says, which is told how much waits and for how long', async () => {
    const scene = await Scene.begin({ components: [stock] });
    scene.window = 2;
    await scene.publish(...Array.from({ length: 10 }, (_, i) => order('order.paid', i)));
    assert.equal(scene.open.length, 2);
    await scene.pass(3_000);
    const asked = scene.windowsAsked.at(-1)!;
    assert.deepEqual([asked.waiting, asked.underWay, asked.oldestMs >= 3_000], [8, 2, true]);
    scene.window = 4;
    await scene.pass(1_000);
    assert.equal(scene.open.length, 4);
  });

  it('is nothing while it is switched off, and nothing stays leased', async () => {
    const scene = await Scene.begin({ components: [stock] });
    scene.window = 1;
    await scene.publish(order('order.paid', 1), order('order.paid', 2));
    scene.window = 0;
    await scene.end();
    await scene.pass(10_000);
    assert.deepEqual(
      scene.store.rows.map(({ state, attempt }) => [state, attempt]),
      [['ready', 0]],
    );
    scene.window = 1;
    await scene.pass(1_000);
    assert.equal(scene.open.length, 1);
  });

  it('is no more than the subscription allows', async () => {
    const own = component('stock', { subscription: subscription(['*'], { batchSize: 2, concurrency: 1 }) });
    const scene = await Scene.begin({ components: [own] });
    await scene.publish(...[1, 2, 3, 4].map((n) => order('t', n)));
    assert.deepEqual(scene.open.map(data), [[1, 2]]);
    await scene.end();
    assert.deepEqual(scene.open.map(data), [[3, 4]]);
  });

  it('goes on to the end of a backlog, where the subscription allows one at a time', async () => {
    const own = component('stock', { subscription: subscription(['*'], { batchSize: 1, concurrency: 1 }) });
    const scene = await Scene.begin({ components: [own] });
    await scene.publish(...Array.from({ length: 30 }, (_, n) => order('t', n)));
    for (let i = 0; i < 30; i++) {
      await scene.pass(50);
      assert.equal(scene.open.length, 1);
      await scene.end();
    }
    assert.deepEqual(
      scene.invoked.flatMap(data),
      Array.from({ length: 30 }, (_, n) => n),
    );
    // What comes by itself is leased with its publication again.
    const { lease } = { ...scene.store.asked };
    await scene.publish(order('t', 30));
    await scene.end();
    assert.deepEqual([scene.store.rows, scene.store.asked['lease']], [[], lease]);
  });

  it('goes on to the end of a backlog of large events, of which one lease takes a few', async () => {
    const scene = await Scene.begin({ components: [receipts] });
    scene.window = 0;
    for (let i = 0; i < 20; i++) await scene.publish(order('order.paid', 'x'.repeat(900_000)));
    scene.window = 6;
    for (let i = 0; i < 10; i++) {
      await scene.pass(2_000);
      await scene.end();
    }
    assert.equal(scene.store.rows.length, 0);
  });

  it('is known again of a component that was taken out and is there again, before all of it was settled', async () => {
    const scene = await Scene.begin({ components: [stock] });
    await scene.publish(order('order.paid', 1));
    scene.store.failing = { message: 'no space left' };
    await scene.end(failedWith('handler-error'));
    // It is tried again each five seconds by now.
    await scene.pass(7_000);
    scene.store.failing = null;
    for (const components of [[receipts], [receipts, stock]]) {
      scene.components = new Map(components.map((spec) => [spec.name, spec]));
      scene.events.served();
      await scene.settle();
    }
    await scene.pass(60_000);
    assert.deepEqual(scene.open.map(data), [[1]]);
  });

  it('counts what has ended once, whatever its handler says afterwards', async () => {
    const scene = await Scene.begin({ components: [stock] });
    await scene.publish(order('order.paid', 1));
    const [first] = scene.open;
    await scene.end(failedWith('timeout'));
    first!.ack(first!.messages[0]!.id);
    await scene.settle();
    assert.equal(scene.server.holder.held, 0);
  });
});

describe('an asynchronous invocation', () => {
  const report = component('report', {
    async: {
      ...DEFAULT_ASYNC,
      onSuccess: 'report.done',
      onFailure: 'report.failed',
      retry: { ...DEFAULT_RETRY, attempts: 2 },
    },
  });
  const ends = component('ends', { subscription: subscription(['report.*']) });
  const work = { kind: 'call', function: 'make', args: Buffer.from('[1]') } as const;

  it('is kept with its outcome, and its end is published', async () => {
    const scene = await Scene.begin({ components: [report, ends] });
    const { id } = await scene.events.later({ component: 'report', requestId: 'r_1', work });
    await scene.settle();
    const { invocation, seed } = scene.open[0]!;
    assert.equal(
      invocation.kind === 'call' && `${invocation.function} ${Buffer.from(invocation.args.bytes).toString()}`,
      'make [1]',
    );
    assert.equal(seed.requestId, 'r_1');
    assert.equal((await scene.events.answer(id))!.state, 'waiting');
    await scene.end({ ...OK, value: { encoding: 'json', bytes: Buffer.from('{"pages":3}') } });
    const answer = (await scene.events.answer(id))!;
    assert.deepEqual([answer.state, Buffer.from(answer.answer!.data).toString()], ['done', '{"pages":3}']);
    assert.deepEqual(data(scene.open[0]!), [
      {
        id,
        component: 'report',
        type: 'call:make',
        outcome: 'ok',
        status: 0,
        error: null,
        result: { pages: 3 },
      },
    ]);
  });

  it('that is given up says why', async () => {
    const scene = await Scene.begin({ components: [report, ends] });
    const { id } = await scene.events.later({ component: 'report', requestId: 'r_1', work });
    await scene.settle();
    await scene.end(failedWith('handler-error'));
    await scene.pass(1_000);
    await scene.end(failedWith('handler-error'));
    const answer = (await scene.events.answer(id))!;
    assert.deepEqual(
      [answer.state, answer.answer!.outcome, answer.answer!.error!.code],
      ['failed', 'handler-error', 'handler-error'],
    );
    assert.equal((data(scene.open[0]!)[0] as { outcome: string }).outcome, 'handler-error');
  });

  it('is refused for what is not there', async () => {
    const scene = await Scene.begin({ components: [report] });
    const asked = { component: 'reprot', requestId: 'r_1', work };
    await assert.rejects(scene.events.later(asked), { code: 'not-found', message: /Did you mean 'report'/ });
  });
});

describe('whoever operates it', () => {
  it('tries again what is dead, gives it to another, or drops it', async () => {
    const scene = await Scene.begin({ components: [stock, receipts] });
    scene.answer = () => failedWith('handler-error');
    await scene.publish(order('order.paid', 1), order('order.paid', 2));
    await scene.pass(120_000);
    const { events, store } = scene;
    assert.deepEqual(
      store.rows.map(({ state }) => state),
      ['dead', 'dead', 'dead', 'dead'],
    );
    assert.equal((await events.backlog('stock'))!.dead, 2);
    assert.equal(await events.drop({ component: 'receipts', state: 'dead' }), 2);
    scene.answer = () => OK;
    assert.equal(await events.retry({ ids: [store.rows[0]!.id] }), 1);
    await scene.settle();
    assert.equal(store.rows.length, 1);
    await assert.rejects(events.redrive({ state: 'dead' }, 'nobody'), { code: 'not-found' });
    assert.equal(await events.redrive({ component: 'stock', state: 'dead' }, 'receipts'), 1);
    await scene.settle();
    assert.deepEqual(store.rows, []);
    assert.equal(scene.invoked.at(-1)!.component, 'receipts');
    assert.equal(await events.count({ component: 'stock' }), 0);
  });
});
