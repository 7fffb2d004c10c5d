import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { FakeClock } from '../base/fake-clock.ts';
import { component, OK, order, Scene, subscription, type Invoked } from './testing/scene.ts';

const stock = component('stock', { subscription: subscription(['order.paid'], { batchSize: 1 }) });
const data = ({ messages }: Invoked): unknown[] => messages.map((message) => message.data);

describe('a server', () => {
  it('that rests gives back what it has not begun, settles what it has, and goes on when it is told to', async () => {
    const scene = await Scene.begin({ components: [stock] });
    scene.window = 1;
    await scene.publish(order('order.paid', 1), order('order.paid', 2));
    await scene.server.rest();
    assert.deepEqual(
      scene.store.rows.map(({ state, attempt }) => [state, attempt]),
      [
        ['leased', 1],
        ['ready', 0],
      ],
    );
    await scene.publish(order('order.paid', 3));
    await scene.end();
    assert.equal(scene.open.length, 0);
    assert.deepEqual(
      scene.store.rows.map(({ state }) => state),
      ['ready', 'ready'],
    );
    await scene.server.begin({ isAlone: false, sharesStore: () => false });
    await scene.settle();
    assert.deepEqual(data(scene.open[0]!), [2]);
  });

  it('finds what another publishes into the same store within a second', async () => {
    const one = await Scene.begin({ components: [stock], sharesStore: true });
    const other = await Scene.begin({
      components: [stock],
      store: one.store,
      clock: one.clock,
      sharesStore: true,
    });
    other.window = 0;
    await other.publish(order('order.paid'));
    await one.pass(1_000);
    assert.equal(one.open.length, 1);
  });

  it('takes over what one held that is gone, after fifteen seconds, and what that settles then counts no more', async () => {
    const gone = await Scene.begin({ components: [stock] });
    await gone.publish(order('order.paid'));
    assert.equal(gone.open.length, 1);
    const silent = gone.open[0]!;
    // Its process stands still: its timers do not run.
    const { store } = gone;
    const other = await Scene.begin({ components: [stock], store, isAlone: false });
    await other.pass(14_000);
    assert.equal(other.open.length, 0);
    await other.pass(7_000);
    assert.equal(other.open[0]!.messages[0]!.attempt, 2);
    silent.end(OK);
    await gone.settle();
    assert.equal(store.rows.length, 1);
    await other.end();
    assert.equal(store.rows.length, 0);
  });

  it('that is alone takes over at once', async () => {
    const gone = await Scene.begin({ components: [stock] });
    await gone.publish(order('order.paid'));
    const other = await Scene.begin({ components: [stock], store: gone.store });
    assert.equal(other.open.length, 1);
  });

  it('leaves alone what one has that lives, however far their clocks are apart, and takes over all the same', async () => {
    for (const apartMs of [3_600_000, -3_600_000]) {
      const one = await Scene.begin({ components: [stock] });
      await one.publish(order('order.paid'));
      const { store } = one;
      const clock = new FakeClock(one.clock.nowMs() + apartMs);
      const other = await Scene.begin({ components: [stock], store, clock, isAlone: false });
      for (let i = 0; i < 12; i++) {
        await one.pass(5_000);
        await other.pass(5_000);
        // An operator sets them.
        if (i === 6) clock.setWallMs(clock.nowMs() + apartMs);
      }
      assert.deepEqual([store.rows[0]!.state, other.open.length], ['leased', 0], `${apartMs} ms apart`);
      await other.pass(20_000);
      assert.equal(store.rows[0]!.state === 'leased', apartMs > 0);
      assert.equal(other.open.length, apartMs > 0 ? 1 : 0, 'what is due by its own clock is delivered');
    }
  });

  it('takes nothing over from others that could not speak because the store did not answer', async () => {
    const one = await Scene.begin({ components: [stock] });
    await one.publish(order('order.paid'));
    const { store } = one;
    const other = await Scene.begin({ components: [stock], store, isAlone: false });
    await one.pass(5_000);
    await other.pass(5_000);
    store.failing = { message: 'the database is away' };
    await one.pass(60_000);
    await other.pass(60_000);
    store.failing = null;
    // The other is the first to have it back.
    await other.pass(10_000);
    await one.pass(10_000);
    assert.equal(other.open.length, 0);
    await one.end();
    assert.deepEqual(store.rows, []);
  });

  it('begins nothing more with what it held while it could not say for long that it lives', async () => {
    const own = component('stock', { subscription: subscription(['*'], { batchWaitMs: 20_000 }) });
    const scene = await Scene.begin({ components: [own] });
    await scene.publish(order('t', 1, { key: 'k' }));
    scene.store.failing = { message: 'the database is away' };
    await scene.pass(25_000);
    assert.equal(scene.open.length, 0, 'another may have done it, and what comes behind it');
    scene.store.failing = null;
    await scene.pass(30_000);
    assert.deepEqual(
      scene.open.map((invoked) => invoked.messages.map(({ attempt }) => attempt)),
      [[1]],
    );
  });

  it('keeps what was settled while the store fails, and delivers none of it twice', async () => {
    const scene = await Scene.begin({ components: [stock] });
    await scene.publish(order('order.paid', 1), order('order.paid', 2));
    scene.store.failing = { message: 'no space left' };
    await scene.end();
    await scene.pass(20_000);
    assert.equal(scene.store.rows.length, 2);
    scene.store.failing = null;
    await scene.pass(5_000);
    assert.deepEqual(scene.store.rows, []);
    assert.equal(scene.invoked.length, 2);
  });

  it('does not hold alive what it may have leased without knowing it', async () => {
    const scene = await Scene.begin({ components: [stock] });
    await scene.publish(order('order.paid', 0));
    await scene.end();
    scene.store.failing = { message: 'connection lost', after: true };
    await assert.rejects(scene.publish(order('order.paid', 1)), { code: 'store-failed' });
    scene.store.failing = null;
    assert.equal(scene.store.rows[0]!.state, 'leased');
    await scene.pass(25_000);
    assert.deepEqual(scene.open.map(data), [[1]]);
  });
});
