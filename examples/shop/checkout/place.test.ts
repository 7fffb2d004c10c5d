import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Shelf } from '../inventory/shelf.ts';
import { Charges } from '../payment/charges.ts';
import { Provider } from '../payment/provider.ts';
import type { Purchase } from '../shared/order.ts';
import { Orders } from '../shared/orders.ts';
import { orderWith } from '../testing/orders.ts';
import { NotPlaced, place, type Means } from './place.ts';
import { settle } from './settle.ts';

const [GOOD, REFUSED, BROKEN, LOST] = ['1111', '0000', '0001', '0003'].map(
  (end) => `4111 1111 1111 ${end}`,
) as [string, string, string, string];
const NEVER = new AbortController().signal;
const LATER_MS = 3_600_000;

function purchaseOf(number: number, items: Readonly<Record<string, number>>): Purchase {
  const { paymentId, ...purchase } = orderWith(number, items);
  void paymentId;
  return purchase;
}

/** The real parts, with a shelf of three. */
class Scene {
  readonly orders = new Orders(':memory:');
  readonly shelf = new Shelf([{ sku: 'A', stock: 3 }], ':memory:');
  readonly charges = new Charges(':memory:');
  readonly #provider = new Provider(this.charges, (key) => `pay of ${key}`);
  /** Before each step, and after those that are done elsewhere; what throws in here breaks off there. */
  step: (name: string) => void = () => undefined;

  readonly means: Means = {
    orders: new Proxy(this.orders, {
      get:
        (orders, name) =>
        (...args: never[]) => {
          this.step(`before ${String(name)}`);
          return (orders[name as keyof Orders] as (...given: never[]) => unknown).apply(orders, args);
        },
    }),
    inventory: {
      reserve: (id, lines) => this.#done('reserve', async () => this.shelf.reserve({ id, lines })),
      release: (id) => this.#done('release', async () => this.shelf.release(id)),
    },
    payment: {
      charge: (order, card, key) =>
        this.#done('charge', () => this.#provider.charge(order, card, key, NEVER)),
      cancel: (key) => this.#done('cancel', async () => this.#provider.cancel(key)),
    },
  };

  async #done<T>(name: string, work: () => Promise<T>): Promise<T> {
    this.step(`before ${name}`);
    const result = await work();
    this.step(`after ${name}`);
    return result;
  }

  get left(): number {
    return this.shelf.left(['A'])['A']!;
  }
}

test('what is bought is put aside, charged and written down', async () => {
  const scene = new Scene();
  const purchase = purchaseOf(1, { A: 2 });
  for (let times = 0; times < 2; times++) await place(purchase, GOOD, scene.means);
  assert.deepEqual(scene.orders.lookUp(purchase.id), { ...purchase, paymentId: `pay of ${purchase.id}` });
  assert.deepEqual(scene.charges.states(), { [purchase.id]: 'charged' });
  assert.equal(scene.left, 1);
});

test('of two who press the button at the same moment, and of one who presses it twice, each buys once', async () => {
  const scene = new Scene();
  const [one, other] = [purchaseOf(1, { A: 2 }), purchaseOf(2, { A: 2 })];
  const placed = await Promise.allSettled(
    [one, one, other].map((purchase) => place(purchase, GOOD, scene.means)),
  );
  assert.deepEqual(
    placed.map(({ status }) => status),
    ['fulfilled', 'fulfilled', 'rejected'],
  );
  assert.match(String((placed[2] as PromiseRejectedResult).reason), /only 1 left of Thing A/);
  assert.equal(scene.charges.states()[one.id], 'charged');
  assert.notEqual(scene.charges.states()[other.id], 'charged');
  assert.equal(scene.left, 1);
});

test('an answer that was lost is asked for again, and the money taken once', async () => {
  const scene = new Scene();
  const purchase = purchaseOf(1, { A: 1 });
  await place(purchase, LOST, scene.means);
  assert.equal(scene.orders.lookUp(purchase.id)?.paymentId, `pay of ${purchase.id}`);
  assert.deepEqual(scene.charges.states(), { [purchase.id]: 'charged' });
});

test('what cannot be paid is not bought, and back on the shelf', async (t) => {
  t.mock.method(console, 'error', () => undefined);
  const timeout = Object.assign(new Error('no answer'), { code: 'timeout' });
  for (const [card, problem, step] of [
    [REFUSED, /bank has refused/, null],
    [BROKEN, /did not go through, and nothing was charged/, null],
    // It was charged after all, while nobody waited any more.
    [GOOD, /did not go through, and nothing was charged/, 'after charge'],
  ] as const) {
    const scene = new Scene();
    scene.step = (name) => {
      if (name === step) throw timeout;
    };
    const purchase = purchaseOf(1, { A: 2 });
    await assert.rejects(place(purchase, card, scene.means), (error: Error) => {
      assert.ok(error instanceof NotPlaced);
      assert.match(error.message, problem);
      return true;
    });
    assert.equal(scene.left, 3);
    assert.notEqual(scene.charges.states()[purchase.id], 'charged');
    assert.equal(scene.orders.lookUp(purchase.id), null);
    await assert.rejects(place(purchase, GOOD, scene.means), /given up/);
  }
});

test('wherever the process ends, it is bought or it is not: the tick takes back what was left, and who asks again buys once', async (t) => {
  t.mock.method(console, 'error', () => undefined);
  const purchase = purchaseOf(1, { A: 2 });
  for (const card of [GOOD, LOST, BROKEN]) {
    for (const again of [false, true]) {
      // One step further each time, until it ends nowhere.
      for (let ends = 1, ended = true; ended; ends++) {
        const scene = new Scene();
        let steps = 0;
        scene.step = () => {
          // From there on nothing that the process asks for is done.
          if (++steps >= ends) throw new Error('the process has ended');
        };
        await place(purchase, card, scene.means).catch(() => undefined);
        ended = steps >= ends;
        scene.step = () => undefined;
        if (again) await place(purchase, GOOD, scene.means).catch(() => undefined);
        await settle(scene.means, purchase.atMs + LATER_MS);
        const bought = scene.orders.lookUp(purchase.id) !== null;
        const about = `${card}, ended at step ${ends}, ${again ? 'asked again' : 'left'}`;
        assert.equal(scene.charges.states()[purchase.id] === 'charged', bought, about);
        assert.equal(scene.left, bought ? 1 : 3, about);
        assert.deepEqual(scene.orders.unsettled(purchase.atMs + LATER_MS, 10), [], about);
      }
    }
  }
});

test('a purchase that somebody is paying for is not taken back, and one that cannot be keeps no other waiting', async (t) => {
  t.mock.method(console, 'error', () => undefined);
  const scene = new Scene();
  const [one, other] = [purchaseOf(1, { A: 1 }), purchaseOf(2, { A: 1 })];
  for (const purchase of [one, other]) {
    scene.orders.begin(purchase);
    scene.shelf.reserve(purchase);
  }
  assert.equal(await settle(scene.means, one.atMs + 30_000), 0);
  let failed = false;
  scene.step = (name) => {
    if (name !== 'before cancel' || failed) return;
    failed = true;
    throw new Error('not now');
  };
  assert.equal(await settle(scene.means, one.atMs + LATER_MS), 1);
  assert.equal(await settle(scene.means, one.atMs + LATER_MS), 1);
  assert.equal(scene.left, 3);
});

test('who is overtaken by the tick is told that nothing was bought, and gets the money back', async () => {
  const scene = new Scene();
  const purchase = purchaseOf(1, { A: 1 });
  const ticks: Promise<number>[] = [];
  scene.step = (name) => {
    if (name === 'after charge') ticks.push(settle(scene.means, purchase.atMs + LATER_MS));
  };
  await assert.rejects(place(purchase, GOOD, scene.means), /given up/);
  assert.deepEqual(await Promise.all(ticks), [1]);
  assert.deepEqual(scene.charges.states(), { [purchase.id]: 'refunded' });
  assert.equal(scene.left, 3);
});
