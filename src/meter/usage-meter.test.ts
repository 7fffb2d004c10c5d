import assert from 'node:assert/strict';
import { test } from 'node:test';
import { NOON_MS, usageRecord } from '../../test/conformance/usage-record.ts';
import { FulcrumError } from '../base/errors.ts';
import { FakeClock } from '../base/fake-clock.ts';
import type { Logger } from '../base/log.ts';
import { callRecord } from './testing/call-record.ts';
import { PartsStore } from './testing/parts-store.ts';
import { UsageMeter, type UsageMeterOptions } from './usage-meter.ts';

test('what is recorded is written at the next flush, and not before', async () => {
  const { meter, store, clock } = setUp();
  await clock.advance(0);
  meter.record(usageRecord({ cold: true, startMs: 30, waitedMs: 31 }));
  meter.record(usageRecord());
  await clock.advance(999);
  assert.equal(store.count(), 0, 'only that it lives');
  await clock.advance(1);
  assert.equal(store.count(), 2);
  assert.equal(store.arrivals(), 2);
  assert.equal(store.rows.size, 1, 'the cold one has a row, the other is not sampled');
  const { appends } = store;
  await clock.advance(8_000);
  assert.equal(store.appends, appends, 'where nothing changes nothing is written');
});

test('flush writes what was recorded until then, in several batches where it must', async () => {
  const { meter, store } = setUp();
  for (let i = 0; i < 1_000; i++) {
    meter.record(usageRecord({ component: `c${i}`, outcome: 'crashed', requestId: `r_${i}` }));
  }
  await meter.flush();
  assert.equal(store.count(), 1_000);
  assert.equal(store.arrivals(), 1_000);
  assert.equal(store.rows.size, 1_000);
  assert.ok(store.largestBatch <= 200);
});

test('while the store fails nothing is lost or counted twice, and it is asked ever more rarely', async () => {
  const { meter, store, clock, log } = setUp();
  store.fails = true;
  let recorded = 0;
  for (let second = 0; second < 600; second++) {
    meter.record(usageRecord({ arrivedAtMs: clock.nowMs() }));
    recorded++;
    // Every third failure is the kind where the batch did arrive and only the answer was lost.
    store.storesAnyway = second % 3 === 0;
    await clock.advance(1_000);
  }
  assert.ok(store.appends > 5 && store.appends < 25, `${store.appends} attempts in 600 s`);
  assert.ok(log.some((line) => line.startsWith('warn Usage could not be written')));
  store.fails = false;
  await clock.advance(61_000);
  assert.equal(store.count(), recorded);
  assert.equal(store.arrivals(), recorded);
  assert.equal(meter.dropped, 0);
  assert.ok(log.some((line) => line.startsWith('info Usage is being written again')));
});

test('a flush that is asked for tells the failure', async () => {
  const { meter, store } = setUp();
  store.fails = true;
  meter.record(usageRecord());
  await assert.rejects(meter.flush(), FulcrumError);
  store.fails = false;
  await meter.flush();
  assert.equal(store.count(), 1);
});

test('details beyond their bounds are dropped and told once a minute; counts are kept', async () => {
  const { meter, store, clock, log } = setUp({ maxWaitingRows: 10, maxWaitingBytes: 8_000 });
  store.fails = true;
  await clock.advance(1_000);
  for (let i = 0; i < 20_000; i++) {
    meter.record(usageRecord({ outcome: 'crashed', requestId: `r_${i}`, arrivedAtMs: NOON_MS + i }));
  }
  assert.ok(meter.dropped > 0);
  await clock.advance(30_000);
  const told = log.filter((line) => line.startsWith('warn The store was too slow'));
  assert.equal(told.length, 1);
  store.fails = false;
  await meter.flush();
  assert.equal(store.count(), 20_000);
  assert.equal(store.rows.size, 10);
  assert.ok(store.arrivals() < 20_000);
});

test('a store that hangs holds up neither records nor close, and both are told', async () => {
  const { meter, store, clock, log } = setUp();
  store.hangs = true;
  meter.record(usageRecord());
  await clock.advance(12_000);
  meter.record(usageRecord());
  await clock.advance(12_000);
  assert.equal(store.appends, 1, 'one batch at a time');
  assert.equal(log.filter((line) => line.includes('has been writing usage for long')).length, 1);
  const closed = meter.close();
  await clock.advance(5_000);
  await closed;
  assert.ok(log.some((line) => line.startsWith('error The last usage could not be written')));
});

test('close writes what is left and stops the loop', async () => {
  const { meter, store, clock } = setUp();
  meter.record(usageRecord());
  await meter.close();
  assert.equal(store.count(), 1);
  assert.equal(clock.pending, 0);
});

test('flushes that meet wait for each other, and lose nothing', async () => {
  const { meter, store } = setUp();
  meter.record(usageRecord());
  const first = meter.flush();
  meter.record(usageRecord());
  await Promise.all([first, meter.flush(), meter.flush()]);
  assert.equal(store.count(), 2);
  assert.equal(store.mostAtOnce, 1);
});

test('the wall clock may jump: minutes are those of the arrivals, nothing is lost', async () => {
  const { meter, store, clock } = setUp();
  meter.record(usageRecord({ arrivedAtMs: clock.nowMs() }));
  await clock.advance(1_000);
  clock.setWallMs(clock.nowMs() - 86_400_000);
  meter.record(usageRecord({ arrivedAtMs: clock.nowMs() }));
  await clock.advance(200_000);
  clock.setWallMs(clock.nowMs() + 10 * 86_400_000);
  meter.record(usageRecord({ arrivedAtMs: clock.nowMs() }));
  await clock.advance(200_000);
  assert.equal(store.count(), 3);
  assert.equal(new Set([...store.minutes.values()].map((minute) => minute.minuteMs)).size, 3);
});

test('a record that makes no sense spoils nothing', async () => {
  const { meter, store } = setUp();
  meter.record(
    usageRecord({ durationMs: NaN, cpuMs: -1, billedMs: Infinity, arrivedAtMs: NaN, status: 1.5 }),
  );
  meter.record(usageRecord({ requestId: 'x'.repeat(10_000), cold: true }));
  await meter.flush();
  for (const minute of store.minutes.values()) {
    for (const value of Object.values(minute)) {
      if (typeof value === 'number') assert.ok(Number.isFinite(value) && value >= 0);
    }
  }
  assert.equal(store.count(), 2);
  assert.equal([...store.rows.values()][0]!.requestId.length, 200);
});

test('the last minute of a component is told at once, of an unknown one as nothing', async () => {
  const { meter, clock } = setUp();
  meter.record(usageRecord({ durationMs: 12, outcome: 'timeout' }));
  const { count, failed, p50Ms } = meter.lastMinute('catalog');
  assert.deepEqual([count, failed, Math.round(p50Ms!)], [1, 1, 12]);
  assert.equal(meter.lastMinute('cart').count, 0);
  await clock.advance(61_000);
  assert.equal(meter.lastMinute('catalog').count, 0);
});

test('it says that it lives at once and every ten seconds, and not once it is closed', async () => {
  const { meter, store, clock } = setUp({ node: 'here' });
  await clock.advance(0);
  const [writer] = store.writers.values();
  assert.deepEqual([writer!.node, writer!.sinceMs, writer!.wroteMs], ['here', NOON_MS, NOON_MS]);
  await clock.advance(35_000);
  const [later] = store.writers.values();
  assert.deepEqual([later!.id, later!.wroteMs], [writer!.id, NOON_MS + 30_000]);
  assert.equal(store.appends, 4);
  await meter.close();
  assert.equal(store.writers.size, 0);
  const { appends } = store;
  await meter.flush();
  assert.equal(store.appends, appends);
});

test('what came before it wrote is written, also where that needs several batches', async () => {
  const { meter, store, clock } = setUp();
  await clock.advance(0);
  for (let second = 1; second <= 5; second++) {
    for (let i = 0; i < 500; i++)
      meter.record(usageRecord({ component: `c${i}`, arrivedAtMs: clock.nowMs() }));
    const wroteMs: number[] = [];
    store.told = (batch) => void wroteMs.push(batch.writer!.wroteMs);
    await clock.advance(1_000);
    await meter.flush();
    const [last, ...before] = wroteMs.toReversed();
    assert.equal(last, NOON_MS + second * 1_000);
    assert.ok(before.length >= 2 && before.every((ms) => ms === NOON_MS + (second - 1) * 1_000));
    assert.equal(store.count(), second * 500);
  }
});

test('a writer that could not be closed stays, for others to find, and the log tells what was in its last batch', async () => {
  const { meter, store, clock, told } = setUp();
  await clock.advance(0);
  store.fails = true;
  meter.record(usageRecord({ outcome: 'crashed' }));
  await meter.close();
  assert.equal(store.writers.size, 1);
  const { err: _, ...lost } = told.at(-1) as Record<string, unknown>;
  assert.deepEqual(lost, { minutes: 1, rows: 1, instances: 0 });
});

test('a server that ended without a word is found at the start', async () => {
  const { store, clock, log } = setUp({ hasEnded: (node) => node === 'gone' });
  store.writers.set('x', { id: 'x', node: 'gone', sinceMs: 0, wroteMs: NOON_MS - 5_000, closed: false });
  await clock.advance(0);
  assert.equal(store.writers.has('x'), false);
  assert.ok(log.some((line) => line.startsWith('warn A server has ended without a word')));
});

test('instances and calls within processes are written with the rest', async () => {
  const { meter, store } = setUp();
  meter.instances.record({
    ...{ unit: 'shop', revision: 'r1', mode: 'service', fromMs: NOON_MS, lastsMs: 10_000, begins: true },
    ...{ memoryBytes: 1_000, usedBytes: null, cpuMs: 4 },
  });
  meter.joinedCalls.record(callRecord({ way: 'in-process' }));
  meter.joinedCalls.record(callRecord({ way: 'wire' }));
  await meter.flush();
  const [lived] = store.instances.values();
  assert.deepEqual([lived!.unit, lived!.started, lived!.livedMs], ['shop', 1, 10_000]);
  assert.deepEqual(
    [...store.calls.values()].map(({ caller, callee, count }) => [caller, callee, count]),
    [['cart', 'pricing', 1]],
  );
});

function setUp(options: Partial<UsageMeterOptions> = {}): {
  meter: UsageMeter;
  store: PartsStore;
  clock: FakeClock;
  log: string[];
  told: object[];
} {
  const clock = new FakeClock(NOON_MS);
  const store = new PartsStore();
  const log: string[] = [];
  const told: object[] = [];
  const say =
    (level: string) =>
    (fields: object, message: string): void => {
      log.push(`${level} ${message}`);
      told.push(fields);
    };
  const logger: Logger = { debug: say('debug'), info: say('info'), warn: say('warn'), error: say('error') };
  return {
    meter: new UsageMeter({ app: 'shop', store: store.port, clock, logger, ...options }),
    store,
    clock,
    log,
    told,
  };
}
