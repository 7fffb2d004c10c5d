import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import type { Slot } from '../model/slot.ts';
import type { InvocationEnd, Outcome } from '../model/invocation.ts';
import { FulcrumError } from '../base/errors.ts';
import { Scene, revision } from './testing/scene.ts';

const service = (replicas: number, concurrency = 100): ReturnType<typeof revision> =>
  revision('shop', {
    mode: 'service',
    service: { minReplicas: replicas, maxReplicas: replicas, concurrency },
  });

const OK: InvocationEnd = { outcome: 'ok', error: null, cpuMs: 0 };
const ended = (outcome: Outcome): InvocationEnd => ({
  outcome,
  error: outcome === 'ok' ? null : new FulcrumError('internal', outcome),
  cpuMs: 0,
});

const CALL_REFUSED: InvocationEnd = {
  outcome: 'handler-error',
  error: new FulcrumError('call-refused', 'no', { cause: new FulcrumError('overloaded', 'no') }),
  cpuMs: 0,
};

type Answer = { readonly end: InvocationEnd; readonly status: number };
const answer = (status: number): Answer => ({ end: OK, status });
const WELL = answer(200);
const BAD = answer(503);

/** A service whose replicas answer as the test says. */
class Shop {
  readonly scene: Scene;
  /** By a replica's number, in the order of their starts. */
  answers: (nth: number) => Answer = () => WELL;

  constructor(scene: Scene) {
    this.scene = scene;
  }

  static async of(replicas: number, concurrency?: number): Promise<Shop> {
    return new Shop(await Scene.of(service(replicas, concurrency)));
  }

  nthOf(slot: Slot): number {
    return this.scene.runtime.instances.findIndex(({ id }) => id === slot.instance.id);
  }

  take(): Promise<Slot> | Slot {
    return this.scene.scaler.take('shop', this.scene.context());
  }

  /** As many invocations at a time as there are replicas, `rounds` times. @returns how many each replica got. */
  async serve(rounds: number): Promise<number[]> {
    const many = this.scene.runtime.instances.length;
    const got = Array.from({ length: many }, () => 0);
    for (let i = 0; i < rounds; i++) {
      const slots: Slot[] = [];
      for (let k = 0; k < many; k++) slots.push(await this.take());
      for (const slot of slots) {
        const nth = this.nthOf(slot);
        got[nth]!++;
        const { end, status } = this.answers(nth);
        slot.release(end, status);
      }
    }
    return got;
  }

  get ejectedForMs(): (number | null)[] {
    return this.scene.status('shop').instances.map((one) => one.ejectedForMs);
  }
}

describe('a replica that keeps failing', () => {
  for (const [name, bad] of [
    ['status 500', answer(500)],
    ['status 502', answer(502)],
    ['status 503', answer(503)],
    ['status 504', answer(504)],
    ['crashed', { end: ended('crashed'), status: 0 }],
    ['timeout', { end: ended('timeout'), status: 504 }],
    ['bad-response', { end: ended('bad-response'), status: 502 }],
    ['handler-error', { end: ended('handler-error'), status: 500 }],
  ] as const) {
    it(`is given no work for 30 s after five in a row: ${name}`, async () => {
      const shop = await Shop.of(3);
      shop.answers = (nth) => (nth === 1 ? bad : WELL);
      await shop.serve(4);
      assert.deepEqual(shop.ejectedForMs, [null, null, null]);
      await shop.serve(1);
      assert.deepEqual(shop.ejectedForMs, [null, 30_000, null]);
      const { id } = shop.scene.runtime.instances[1]!;
      const story = `instance ${id} is ejected for 30s: 5 failures in a row, the last one ${name}`;
      assert.ok(shop.scene.story.includes(story));
      const [, second] = await shop.serve(5);
      assert.equal(second, 0);
      await shop.scene.pass(10_000);
      assert.deepEqual(shop.ejectedForMs, [null, 20_000, null]);
    });
  }

  for (const harmless of [
    answer(200),
    answer(404),
    answer(429),
    answer(501),
    { end: ended('cancelled'), status: 499 },
    { end: CALL_REFUSED, status: 503 },
  ]) {
    it(`is none for ${harmless.end.outcome} with ${harmless.status}`, async () => {
      const shop = await Shop.of(2);
      shop.answers = (nth) => (nth === 1 ? harmless : WELL);
      await shop.serve(20);
      assert.deepEqual(shop.ejectedForMs, [null, null]);
    });
  }

  it('is none where one that went well lies between', async () => {
    const shop = await Shop.of(2);
    for (let i = 0; i < 20; i++) {
      shop.answers = (nth) => (nth === 1 && i % 5 !== 0 ? BAD : WELL);
      await shop.serve(1);
    }
    assert.deepEqual(shop.ejectedForMs, [null, null]);
  });

  it('answers its health checks meanwhile, and is not replaced', async () => {
    const shop = await Shop.of(2);
    shop.answers = (nth) => (nth === 1 ? BAD : WELL);
    await shop.serve(5);
    await shop.scene.pass(29_000);
    assert.equal(shop.scene.runtime.orders.length, 2);
    assert.equal(shop.scene.runtime.live.size, 2);
  });

  it('is tried with one invocation, and is back where that goes well', async () => {
    const shop = await Shop.of(2);
    shop.answers = (nth) => (nth === 0 ? BAD : WELL);
    await shop.serve(5);
    await shop.scene.pass(30_001);
    assert.deepEqual(shop.ejectedForMs, [0, null]);
    const trial = await shop.take();
    assert.equal(shop.nthOf(trial), 0);
    for (let i = 0; i < 3; i++) assert.equal(shop.nthOf(await shop.take()), 1, 'no second beside it');
    trial.release(OK, 200);
    assert.deepEqual(shop.ejectedForMs, [null, null]);
    assert.equal(shop.nthOf(await shop.take()), 0);
  });

  it('goes for longer each time that its trial fails, and a first time again after five good minutes', async () => {
    const shop = await Shop.of(2);
    shop.answers = (nth) => (nth === 1 ? BAD : WELL);
    await shop.serve(5);
    for (let times = 2; times <= 12; times++) {
      await shop.scene.pass(shop.ejectedForMs[1]! + 1);
      await shop.serve(1);
      assert.equal(shop.ejectedForMs[1], Math.min(30_000 * times, 300_000));
    }
    shop.answers = () => WELL;
    await shop.scene.pass(300_001);
    await shop.serve(1);
    assert.deepEqual(shop.ejectedForMs, [null, null]);
    await shop.scene.pass(300_000);
    shop.answers = (nth) => (nth === 1 ? BAD : WELL);
    await shop.serve(6);
    assert.equal(shop.ejectedForMs[1], 30_000);
  });

  it('is tried again where nobody waited for the end of its trial', async () => {
    const shop = await Shop.of(2);
    shop.answers = (nth) => (nth === 0 ? BAD : WELL);
    await shop.serve(5);
    await shop.scene.pass(30_001);
    (await shop.take()).release(ended('cancelled'), 499);
    assert.deepEqual(shop.ejectedForMs, [0, null]);
    assert.equal(shop.nthOf(await shop.take()), 0);
  });

  it('serves who waits as soon as it is tried', async () => {
    const shop = await Shop.of(2, 1);
    shop.answers = (nth) => (nth === 0 ? BAD : WELL);
    await shop.serve(5);
    const other = await shop.take();
    const waiting = shop.take();
    await shop.scene.pass(30_001);
    assert.equal(shop.nthOf(await waiting), 0);
    other.release(OK, 200);
  });
});

describe('a trial that lasts', () => {
  /** Of two replicas the first is ejected, and due. */
  async function dueShop(): Promise<Shop> {
    const shop = await Shop.of(2);
    shop.answers = (nth) => (nth === 0 ? BAD : WELL);
    await shop.serve(5);
    await shop.scene.pass(30_001);
    return shop;
  }

  it('has gone well once it is answered: a WebSocket may be open for hours', async () => {
    const shop = await dueShop();
    const { scene } = shop;
    const { promise, resolve } = Promise.withResolvers<InvocationEnd>();
    const seed = { requestId: 'r', traceparent: '', trigger: 'route', signal: null } as const;
    const socket = scene.dispatcher.run(
      'shop',
      { ...seed, deadlineMs: null, client: null, affinityKey: null },
      (slot, _, control) => {
        assert.equal(shop.nthOf(slot), 0);
        control.status(101);
        control.answered();
        return promise;
      },
    );
    await scene.pass(1);
    assert.deepEqual(shop.ejectedForMs, [null, null]);
    shop.answers = () => WELL;
    assert.deepEqual(await shop.serve(10), [10, 10]);
    await scene.pass(3_600_000);
    resolve(ended('crashed'));
    await socket;
    assert.deepEqual(shop.ejectedForMs, [null, null], 'one failure like any other');
  });

  it('has not gone well by an answer that says that it cannot: its end decides', async () => {
    const shop = await dueShop();
    const trial = await shop.take();
    trial.answered(503);
    assert.deepEqual(shop.ejectedForMs, [0, null]);
    assert.equal(shop.nthOf(await shop.take()), 1);
    trial.release(OK, 503);
    assert.deepEqual(shop.ejectedForMs, [60_000, null]);
  });

  it('has another beside it where it has said nothing for 30 s, and no third', async () => {
    const shop = await dueShop();
    const silent = await shop.take();
    await shop.scene.pass(29_999);
    assert.equal(shop.nthOf(await shop.take()), 1);
    await shop.scene.pass(1);
    const second = await shop.take();
    assert.deepEqual(
      [silent, second].map((slot) => shop.nthOf(slot)),
      [0, 0],
    );
    assert.equal(shop.nthOf(await shop.take()), 1);
    silent.release(OK, 200);
    assert.deepEqual(shop.ejectedForMs, [null, null], 'the first says it, too');
    second.release(ended('timeout'), 504);
    assert.deepEqual(shop.ejectedForMs, [null, null], 'one failure like any other');
  });

  it('ejects what is hung, though another is due by then', async () => {
    const shop = await dueShop();
    const hung = await shop.take();
    await shop.scene.pass(30_000);
    hung.release(ended('timeout'), 504);
    assert.deepEqual(shop.ejectedForMs, [60_000, null]);
    hung.answered(200);
    assert.deepEqual(shop.ejectedForMs, [60_000, null], 'too late');
    await shop.scene.pass(60_000);
    assert.deepEqual(shop.ejectedForMs, [0, null]);
  });
});

describe('the end of an ejection', () => {
  it('is not waited for once the replica is gone, or all are', async () => {
    const shop = await Shop.of(3);
    const { scene } = shop;
    const before = scene.clock.pending;
    shop.answers = (nth) => (nth === 0 ? BAD : WELL);
    await shop.serve(5);
    assert.equal(scene.clock.pending, before + 1);
    scene.runtime.instances[0]!.crash();
    await scene.pass(1_000);
    assert.equal(scene.clock.pending, before);
    shop.answers = (nth) => (nth === 1 ? BAD : WELL);
    await shop.serve(8);
    assert.equal(shop.ejectedForMs.filter((ms) => ms !== null).length, 1);
    await scene.meanwhile(scene.scaler.close(1_000));
    assert.equal(scene.clock.pending, 0);
  });
});

describe('nobody is ejected', () => {
  it('where all fail alike: a bug in the code is no reason to have less of it', async () => {
    const shop = await Shop.of(4);
    shop.answers = () => answer(500);
    await shop.serve(30);
    assert.deepEqual(shop.ejectedForMs, [null, null, null, null]);
  });

  it('where it is the only one, or more than half would be out', async () => {
    const alone = await Shop.of(1);
    alone.answers = () => BAD;
    await alone.serve(30);
    assert.deepEqual(alone.ejectedForMs, [null]);
    const shop = await Shop.of(5);
    shop.answers = (nth) => (nth < 3 ? BAD : WELL);
    await shop.serve(60);
    assert.equal(shop.ejectedForMs.filter((ms) => ms !== null).length <= 2, true);
  });

  it('where the others are not sound', async () => {
    const shop = await Shop.of(2);
    const [first] = shop.scene.runtime.instances;
    shop.scene.runtime.onStart = () => ({ takesMs: 5, fails: 'no' });
    first!.health = 'bad';
    await shop.scene.pass(30_500);
    shop.answers = () => BAD;
    await shop.serve(10);
    assert.deepEqual(shop.ejectedForMs, [null, null]);
  });

  it('beyond half, whatever fails in whatever order', async () => {
    const steps = fc.array(
      fc.record({ bad: fc.nat({ max: 63 }), passMs: fc.constantFrom(0, 0, 0, 10_000, 31_000) }),
      {
        maxLength: 25,
      },
    );
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 2, max: 6 }), steps, async (replicas, all) => {
        const shop = await Shop.of(replicas);
        for (const { bad, passMs } of all) {
          shop.answers = (nth) => ((bad >> nth) & 1 ? BAD : WELL);
          await shop.serve(3);
          const out = shop.ejectedForMs.filter((ms) => ms !== null).length;
          assert.ok(out <= Math.floor(replicas / 2), `${out} of ${replicas}`);
          await shop.scene.pass(passMs);
        }
        assert.deepEqual(shop.scene.runtime.breaches, []);
      }),
      { numRuns: process.env['FULCRUM_FULL'] === '1' ? 300 : 30 },
    );
  });
});
