import assert from 'node:assert/strict';
import type { NewWork } from '../../../src/model/event-store.ts';
import type { ScheduleRecord, TickOrder } from '../../../src/model/schedule-store.ts';
import { checksOf, type StoreUnderTest } from './support/store-under-test.ts';
import { newApp, NOW_MS } from './support/things.ts';

const SPEC = '0 2 * * *';
const HOUR_MS = 3_600_000;

/** What every store of schedules must do. */
export function schedulesSuite(subject: StoreUnderTest): void {
  const check = checksOf(subject);

  check('schedules: new and changed ones begin now, others stay as they were or go', async (store) => {
    const { schedules } = store;
    const [a, b, c] = ['a', 'b', 'c'].map((name) => ({ component: 'report', name, spec: SPEC }));
    await schedules.sync('other', [a!], NOW_MS);
    assert.deepEqual(await schedules.sync('shop', [b!, a!], NOW_MS + 0.5), [record('a'), record('b')]);
    await schedules.tick(tick({ name: 'a', tickMs: NOW_MS + 10 }));
    await schedules.tick(tick({ name: 'b', tickMs: NOW_MS + 10 }));
    const changed = { ...b!, spec: '@every 1m' };
    const running = record('a', { lastTickMs: NOW_MS + 10, last: { ...ENDED, state: 'running' } });
    const after = [
      running,
      record('b', { spec: '@every 1m', sinceMs: NOW_MS + 20 }),
      record('c', { sinceMs: NOW_MS + 20 }),
    ];
    assert.deepEqual(await schedules.sync('shop', [a!, changed, c!], NOW_MS + 20), after);
    assert.deepEqual(await schedules.list('shop'), after);
    assert.deepEqual(await schedules.sync('shop', [a!], NOW_MS + 30), [running]);
    assert.deepEqual(await schedules.sync('shop', [], NOW_MS + 40), []);
    assert.equal((await schedules.list('other')).length, 1);
  });

  check('schedules: a tick keeps its work, once', async (store) => {
    await store.schedules.sync('shop', [NIGHTLY], NOW_MS);
    const order = tick({ tickMs: NOW_MS + 10 });
    assert.deepEqual(await store.schedules.tick(order), { tick: 'fired', leased: false });
    const [kept] = await store.events.get('shop', order.work!.id);
    assert.deepEqual(
      [kept!.component, kept!.kind, kept!.type, kept!.state, Buffer.from(kept!.data).toString()],
      ['report', 'schedule', 'nightly', 'ready', '{}'],
    );
    for (const tickMs of [NOW_MS + 10, NOW_MS + 9]) {
      const again = tick({ tickMs, overlaps: true });
      assert.deepEqual(await store.schedules.tick(again), { tick: 'taken' });
      assert.deepEqual(await store.events.get('shop', again.work!.id), []);
    }
    const leased = tick({ tickMs: NOW_MS + 20, overlaps: true });
    const work = { ...leased.work!, leaseFor: ['report'] };
    assert.deepEqual(await store.schedules.tick({ ...leased, work }), { tick: 'fired', leased: true });
    assert.equal((await store.events.get('shop', work.id))[0]!.state, 'leased');
  });

  check(
    'schedules: what was past before, what is no more and what has changed is not fired',
    async (store) => {
      const { schedules } = store;
      await schedules.sync('shop', [NIGHTLY], NOW_MS);
      for (const wrong of [
        tick({ tickMs: NOW_MS }),
        tick({ tickMs: NOW_MS + 10, spec: '@every 1m' }),
        tick({ tickMs: NOW_MS + 10, name: 'no-more' }),
      ]) {
        assert.deepEqual(await schedules.tick(wrong), { tick: 'taken' });
        assert.deepEqual(await store.events.get('shop', wrong.work!.id), []);
      }
      assert.deepEqual(await schedules.list('shop'), [record('nightly')]);
      // That it was past can be told.
      const told = { ...tick({ tickMs: NOW_MS - 5 }), work: null, why: 'past' };
      assert.deepEqual(await schedules.tick(told), { tick: 'skipped' });
      const last = { state: 'skipped', endedAtMs: NOW_MS + 1, message: 'past' } as const;
      assert.deepEqual(await schedules.list('shop'), [record('nightly', { lastTickMs: NOW_MS - 5, last })]);
    },
  );

  check(
    'schedules: a tick is skipped while the one before is kept, unless they may overlap',
    async (store) => {
      await store.schedules.sync('shop', [NIGHTLY, { ...NIGHTLY, name: 'hourly' }], NOW_MS);
      const fire = async (tickMs: number, fields: Partial<TickOrder> = {}): Promise<string> =>
        (await store.schedules.tick(tick({ tickMs, ...fields }))).tick;
      const end = async (how: 'done' | 'again' | 'dead'): Promise<void> => {
        const lease = { app: 'shop', component: 'report', node: 'n', nowMs: NOW_MS + 100, limit: 1 };
        const [got] = await store.events.lease({ ...lease, maxBytes: 1e6, mostLeased: null });
        const attempt = {
          ...{ number: got!.attempt, beganAtMs: 1, tookMs: 1 },
          error: { code: 'handler-error', message: 'no paper' },
        };
        const outcome = {
          done: { as: 'done', answer: null },
          again: { as: 'again', dueAtMs: NOW_MS + 31, counts: true, attempt },
          dead: { as: 'dead', forgetAtMs: NOW_MS + HOUR_MS, attempt, answer: null },
        }[how] as never;
        const settle = [{ app: 'shop', component: 'report', id: got!.id, attempt: got!.attempt, outcome }];
        const { settled } = await store.events.commit({ node: 'n', nowMs: NOW_MS + 31, publish: [], settle });
        assert.deepEqual(settled, [true]);
      };
      const last = async (): Promise<unknown> => {
        const found = (await store.schedules.list('shop')).find(({ name }) => name === 'nightly')!;
        return [found.lastTickMs! - NOW_MS, found.last!.state, found.last!.endedAtMs, found.last!.message];
      };
      assert.equal(await fire(NOW_MS + 10), 'fired');
      assert.equal(await fire(NOW_MS + 20), 'skipped');
      assert.deepEqual(await last(), [20, 'skipped', NOW_MS + 1, 'The one before still ran.']);
      // To be tried again is not done with.
      await end('again');
      assert.equal(await fire(NOW_MS + 30), 'skipped');
      await end('done');
      assert.deepEqual(await last(), [30, 'ok', NOW_MS + 31, null]);
      assert.equal(await fire(NOW_MS + 40), 'fired');
      assert.deepEqual(await last(), [40, 'running', null, null]);
      assert.equal(await fire(NOW_MS + 50, { overlaps: true }), 'fired');
      await end('done');
      await end('dead');
      assert.deepEqual(await last(), [50, 'failed', NOW_MS + 31, 'no paper']);
      // A dead one stays, and is in nobody's way; nor is one of another schedule, or component.
      assert.equal(await fire(NOW_MS + 60, { name: 'hourly' }), 'fired');
      assert.equal(await fire(NOW_MS + 60), 'fired');
    },
  );

  check('schedules: how old work ends is nothing to a schedule that has begun anew', async (store) => {
    await store.schedules.sync('shop', [NIGHTLY], NOW_MS);
    const order = tick({ tickMs: NOW_MS + 10 });
    await store.schedules.tick({ ...order, work: { ...order.work!, leaseFor: ['report'] } });
    await store.schedules.sync('shop', [{ ...NIGHTLY, spec: '@every 1m' }], NOW_MS + 20);
    const outcome = { as: 'done', answer: null } as const;
    await store.events.commit({
      ...{ node: 'n', nowMs: NOW_MS + 30, publish: [] },
      settle: [{ app: 'shop', component: 'report', id: order.work!.id, attempt: 1, outcome }],
    });
    assert.equal((await store.schedules.list('shop'))[0]!.last, null);
  });

  check('schedules: a clock that was put back is gone by from then on, once', async ({ schedules }) => {
    await schedules.sync('shop', [NIGHTLY], NOW_MS - HOUR_MS);
    await schedules.tick(tick({ tickMs: NOW_MS }));
    const backMs = NOW_MS - 5 * HOUR_MS;
    await schedules.rewind('shop', 'report', 'nightly', backMs);
    const back = { sinceMs: backMs, lastTickMs: backMs, last: { ...ENDED, state: 'running' } } as const;
    assert.deepEqual(await schedules.list('shop'), [record('nightly', back)]);
    assert.equal((await schedules.tick(tick({ tickMs: backMs + 1, overlaps: true }))).tick, 'fired');
    // Another node's, a moment later by a clock that is a little behind: what has been fired stays.
    await schedules.rewind('shop', 'report', 'nightly', backMs - 1_000);
    assert.equal((await schedules.tick(tick({ tickMs: backMs + 1, overlaps: true }))).tick, 'taken');
  });

  check('schedules: of stores that race for a tick exactly one fires it', async (one, place) => {
    const two = await subject.open(place);
    try {
      await one.schedules.sync('shop', [NIGHTLY], NOW_MS);
      for (let round = 1; round <= 10; round++) {
        const orders = [one, two, one, two].map((store) => {
          const order = tick({ tickMs: NOW_MS + round, overlaps: round % 2 === 0 });
          return { order, result: store.schedules.tick(order) };
        });
        const results = await Promise.all(orders.map(({ result }) => result));
        const counts = { fired: 0, skipped: 0, taken: 0 };
        for (const result of results) counts[result.tick]++;
        // Every second one finds the one before still there.
        const fired = round === 1 || round % 2 === 0 ? 1 : 0;
        assert.deepEqual(counts, { fired, skipped: 1 - fired, taken: 3 }, `round ${round}`);
        const kept = await Promise.all(orders.map(({ order }) => one.events.get('shop', order.work!.id)));
        assert.equal(kept.flat().length, fired);
      }
    } finally {
      await two.close();
    }
  });

  check('schedules: of stores that make them known at once both see the same', async (one, place) => {
    const two = await subject.open(place);
    try {
      const all = Array.from({ length: 20 }, (_, i) => ({ ...NIGHTLY, name: `s${i}` }));
      const [first, second] = await Promise.all([
        one.schedules.sync('shop', all, NOW_MS),
        two.schedules.sync('shop', all, NOW_MS + 1),
      ]);
      assert.deepEqual(second, first);
    } finally {
      await two.close();
    }
  });

  check('schedules: they go with their app', async (store) => {
    await store.apps.create(newApp());
    await store.schedules.sync('shop', [NIGHTLY], NOW_MS);
    await store.schedules.sync('other', [NIGHTLY], NOW_MS);
    await store.apps.remove('shop');
    assert.deepEqual(await store.schedules.list('shop'), []);
    assert.equal((await store.schedules.list('other')).length, 1);
  });
}

const NIGHTLY = { component: 'report', name: 'nightly', spec: SPEC };
const ENDED = { endedAtMs: null, message: null };

let works = 0;

/** An order of a tick that has work. */
function tick(fields: Partial<TickOrder> & { readonly tickMs: number }): TickOrder {
  const order = {
    ...{ app: 'shop', component: 'report', name: 'nightly', spec: SPEC, nowMs: NOW_MS + 1 },
    ...{ why: null, overlaps: false, node: 'n' },
    ...fields,
  };
  const work: NewWork = {
    ...{ app: order.app, components: [order.component], id: `w${works++}`, kind: 'schedule' },
    ...{ type: order.name, source: '/', subject: null, key: null, timeMs: order.tickMs },
    ...{ contentType: 'application/json', attributes: '{}', data: new Uint8Array(Buffer.from('{}')) },
    ...{ publishedAtMs: order.nowMs, dueAtMs: order.nowMs, forgetAtMs: order.nowMs + HOUR_MS },
    ...{ dedupe: null, answerUntilMs: null, leaseFor: [] },
  };
  return { work, ...order };
}

function record(name: string, fields: Partial<ScheduleRecord> = {}): ScheduleRecord {
  return {
    ...{ app: 'shop', component: 'report', name, spec: SPEC, sinceMs: NOW_MS, lastTickMs: null, last: null },
    ...fields,
  };
}
