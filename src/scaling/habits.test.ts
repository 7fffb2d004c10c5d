import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { FakeClock } from '../base/fake-clock.ts';
import { silentLogger } from '../base/log.ts';
import type { PastArrival } from './habit.ts';
import { Habits } from './habits.ts';

describe("an app's habits", () => {
  it('are one for each component, and its past is asked for once, up to then', async () => {
    const clock = new FakeClock();
    const asked: [string, number][] = [];
    const past = async ([component]: readonly string[], beforeMs: number): Promise<PastArrival[]> => {
      asked.push([component!, beforeMs]);
      return [];
    };
    const habits = new Habits({ clock, logger: silentLogger, past });
    const shop = habits.of(['shop']);
    assert.equal(habits.of(['shop']), shop);
    const beforeMs = clock.nowMs();
    await clock.advance(5_000);
    assert.notEqual(habits.of(['cart']), shop);
    await clock.advance(0);
    assert.deepEqual(asked, [
      ['shop', beforeMs],
      ['cart', beforeMs + 5_000],
    ]);
  });

  it('are read one after the other, whatever becomes of one', async () => {
    const told: string[] = [];
    const logger = { ...silentLogger, warn: (_: object, text: string) => void told.push(text) };
    const reading: { component: string; settle: PromiseWithResolvers<PastArrival[]> }[] = [];
    const past = ([component]: readonly string[]): Promise<PastArrival[]> => {
      const settle = Promise.withResolvers<PastArrival[]>();
      reading.push({ component: component!, settle });
      return settle.promise;
    };
    const clock = new FakeClock();
    const habits = new Habits({ clock, logger, past });
    const [shop, cart] = ['shop', 'cart'].map((name) => habits.of([name]));
    shop!.awaitPast({ changed: () => void told.push('shop') });
    const awaiting = { changed: () => void told.push('cart') };
    cart!.awaitPast(awaiting);
    await clock.advance(0);
    assert.deepEqual(
      reading.map(({ component }) => component),
      ['shop'],
    );
    reading[0]!.settle.reject(new Error('no store'));
    await clock.advance(0);
    assert.match(told[0]!, /"shop" are learnt anew/);
    assert.equal(told[1], 'shop', 'who waits for it waits no more');
    assert.equal(reading[1]!.component, 'cart');
    reading[1]!.settle.resolve([]);
    await clock.advance(0);
    cart!.awaitPast(awaiting);
    assert.deepEqual(told.slice(2), ['cart'], 'once');
  });

  it('are bounded: the oldest of a thousand and one is learnt anew', () => {
    const habits = new Habits({ clock: new FakeClock(), logger: silentLogger, past: async () => [] });
    const [first, second] = ['c0', 'c1'].map((name) => habits.of([name]));
    for (let i = 2; i <= 1_000; i++) habits.of([`c${i}`]);
    assert.equal(habits.of(['c1']), second);
    assert.notEqual(habits.of(['c0']), first);
  });

  it('are those of a group’s members together, whatever it is called, and others where its members are', async () => {
    const asked: (readonly string[])[] = [];
    const past = async (components: readonly string[]): Promise<PastArrival[]> => {
      asked.push(components);
      return [];
    };
    const clock = new FakeClock();
    const habits = new Habits({ clock, logger: silentLogger, past });
    const core = habits.of(['cart', 'stock']);
    assert.equal(habits.of(['stock', 'cart']), core);
    assert.notEqual(habits.of(['cart', 'stock', 'mail']), core);
    await clock.advance(0);
    assert.deepEqual(
      asked,
      [
        ['cart', 'stock'],
        ['cart', 'stock', 'mail'],
      ],
      'in one go: what is missing of one would look like idle time',
    );
  });

  it('are forgotten where nothing has them any more, and are learnt again', async () => {
    const habits = new Habits({ clock: new FakeClock(), logger: silentLogger, past: async () => [] });
    const [cart, core] = [habits.of(['cart']), habits.of(['mail', 'stock'])];
    habits.keep([['stock', 'mail'], ['other']]);
    assert.equal(habits.known(['cart']), null);
    assert.notEqual(habits.of(['cart']), cart);
    assert.equal(habits.of(['mail', 'stock']), core);
  });
});
