import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { FakeClock } from '../base/fake-clock.ts';
import { silentLogger } from '../base/log.ts';
import { machine, spec } from '../capacity/testing/usage.ts';
import { NO_LIMITS, type AppSpec, type GroupSpec, type Limits, type ModuleSpec } from '../model/app.ts';
import type { ComponentCapacity } from '../model/capacity.ts';
import type { UsageRecord } from '../model/usage.ts';
import type { UsageHours, UsageStore } from '../model/usage-store.ts';
import { UsageMeter } from '../meter/usage-meter.ts';
import { AppLimits } from '../scaling/limits/app-limits.ts';
import { Turns } from '../scaling/turns.ts';
import { openSqliteStore } from '../store/sqlite-store.ts';
import { AppCapacity, type MeasuredApp } from './app-capacity.ts';

const MINUTE_MS = 60_000;
const SPEC = spec();
type Usage = UsageStore & UsageHours;

/** Counts what it is asked for, and fails where it is told to. */
class WatchedUsage {
  asked = 0;
  fails: Error | null = null;
  readonly of: Usage;
  constructor(store: Usage) {
    this.of = Object.assign(Object.create(store) as Usage, {
      hours: async (query: Parameters<Usage['hours']>[0]) => {
        this.asked++;
        if (this.fails !== null) throw this.fails;
        return store.hours(query);
      },
    });
  }
}

async function world(t: TestContext, groups: AppSpec['groups'] = new Map()) {
  const clock = new FakeClock();
  const folder = await mkdtemp(join(tmpdir(), 'fulcrum-capacity-'));
  const store = await openSqliteStore({ path: join(folder, 'store.db'), clock, logger: silentLogger });
  const meter = new UsageMeter({ app: 'shop', store: store.usage, clock, logger: silentLogger });
  t.after(async () => {
    await meter.close();
    await store.close();
    await rm(folder, { recursive: true });
  });
  const usage = new WatchedUsage(store.usage);
  const grouped = [...groups.values()];
  const components = new Map(
    [SPEC, ...grouped.flatMap(({ members }) => members)].map((one) => [one.name, one]),
  );
  const instances = [{ mode: 'function' }, { mode: 'service' }];
  const serving = {
    spec: { environment: 'production', components, groups },
    scaler: {
      status: () => [
        { name: 'catalog', mode: 'function', instances },
        ...grouped.map(({ name }) => ({ name, mode: 'function', instances })),
      ],
    },
  } as unknown as MeasuredApp['serving'];
  const limits = new AppLimits(clock);
  limits.of('catalog').configure(SPEC.limits);
  const app = { id: 'shop', serving, meter, limits };
  const capacity = new AppCapacity({ app, usage: usage.of, clock, machine, turns: new Turns() });
  const record = (arrivedAtMs: number, part: Partial<UsageRecord> = {}): void =>
    meter.record({
      component: 'catalog',
      revision: 'r1',
      mode: 'function',
      trigger: 'route',
      outcome: 'ok',
      requestId: 'r_1',
      status: 200,
      arrivedAtMs,
      waitedMs: 0,
      startMs: 0,
      durationMs: 50,
      billedMs: 50,
      cpuMs: 5,
      cold: false,
      memoryBytes: 1,
      bytesIn: 0,
      bytesOut: 0,
      ...part,
    });
  // Of the hour before the one that runs.
  const minuteMs = Math.floor(clock.nowMs() / (60 * MINUTE_MS)) * 60 * MINUTE_MS - 20 * MINUTE_MS;
  return { clock, meter, usage, capacity, record, minuteMs, store, limits };
}

test('what a meter has recorded is read back: requests, time, CPU, and how many there were at once', async (t) => {
  const { meter, capacity, record, minuteMs } = await world(t);
  for (let i = 0; i < 60; i++) {
    // Three at a time in the busiest minute, one in the others.
    for (let twin = 0; twin < 3; twin++) record(minuteMs + i * 1_000 + twin);
    record(minuteMs - MINUTE_MS + i * 1_000);
    record(minuteMs + i * 1_000, { outcome: 'refused', durationMs: 0, cpuMs: 0 });
  }
  await meter.flush();
  const [catalog] = (await capacity.report(7)).components;
  assert.deepEqual([catalog!.peak!.rps.value, catalog!.meanMs, catalog!.cpuMs], [4, 50, 5]);
  assert.equal(catalog!.peak!.concurrencyFrom, 'arrivals');
  assert.equal(catalog!.peak!.concurrency.value, 3);
  assert.deepEqual(catalog!.now.instances, 2);
  assert.equal(catalog!.now.memoryBytes, SPEC.function.memoryBytes + SPEC.service.memoryBytes);
});

test('of a group it is what was asked of all its members, and what may be asked of each', async (t) => {
  const members = [spec({ name: 'checkout' }), spec({ name: 'inventory' })] as ModuleSpec[];
  const group = { ...members[0]!, kind: 'group', name: 'core', members } as unknown as GroupSpec;
  const { meter, capacity, record, minuteMs, limits } = await world(t, new Map([['core', group]]));
  limits.of('inventory').configure({ ...NO_LIMITS, rps: 7 });
  for (let i = 0; i < 60; i++) {
    for (const component of ['checkout', 'inventory', 'inventory'])
      record(minuteMs + i * 1_000, { component });
  }
  await meter.flush();
  const { components } = await capacity.report(7);
  assert.deepEqual(
    components.map(({ name, members: whose }) => [name, whose]),
    [
      ['core', ['checkout', 'inventory']],
      ['catalog', null],
    ],
  );
  const [core] = components;
  assert.deepEqual([core!.peak!.rps.value, core!.peak!.concurrency.value], [3, 3]);
  assert.equal(core!.peak!.concurrencyFrom, 'arrivals');
  assert.deepEqual(core!.limits.map(({ name, component, peak }) => [name, component, peak]).slice(1), [
    ['rps', 'inventory', 2],
  ]);
  assert.equal(core!.now.memoryBytes, SPEC.function.memoryBytes + SPEC.service.memoryBytes);
});

test('what ran into the busiest minute from before counts in it', async (t) => {
  const { meter, capacity, record, minuteMs } = await world(t);
  record(minuteMs - 5 * MINUTE_MS, { durationMs: 10 * MINUTE_MS });
  for (let i = 0; i < 2; i++) record(minuteMs + 1_000, { durationMs: 9 * MINUTE_MS });
  await meter.flush();
  assert.equal((await capacity.report(7)).components[0]!.peak!.concurrency.value, 3);
});

test('where arrivals are gone the mean is told, and said to be one', async (t) => {
  const { meter, capacity, record, minuteMs, store } = await world(t);
  for (let i = 0; i < 60; i++) record(minuteMs + i * 1_000);
  await meter.flush();
  await store.usage.prune({
    app: 'shop',
    minutesBeforeMs: 0,
    arrivalsBeforeMs: minuteMs + MINUTE_MS,
    arrivalBytes: 1e9,
    rowsBeforeMs: 0,
    rows: 1e9,
  });
  const { peak } = (await capacity.report(7)).components[0]!;
  assert.equal(peak!.concurrencyFrom, 'mean');
  assert.ok(Math.abs(peak!.concurrency.value - 0.05) < 1e-9);
});

test('a report is kept for a minute, made once for all who ask meanwhile, and made anew after a failure', async (t) => {
  const { clock, meter, usage, capacity, record, minuteMs } = await world(t);
  record(minuteMs);
  await meter.flush();
  usage.fails = new Error('the disk is gone');
  await assert.rejects(capacity.report(7), /the disk is gone/);
  usage.fails = null;
  const before = usage.asked;
  const [one, two] = await Promise.all([capacity.report(7), capacity.report(7)]);
  assert.equal(one, two);
  assert.equal(usage.asked, before + 1);
  await clock.advance(59_999);
  assert.equal(await capacity.report(7), one);
  await clock.advance(1);
  assert.notEqual(await capacity.report(7), one);
});

test('however many different reports are asked for, one is made at a time, and few are kept', async (t) => {
  const { meter, usage, capacity, record, minuteMs } = await world(t);
  record(minuteMs);
  await meter.flush();
  const reports = await Promise.all([1, 2, 3, 4, 5].map((days) => capacity.report(days)));
  assert.equal(new Set(reports).size, 5);
  const before = usage.asked;
  assert.equal(await capacity.report(5), reports[4]);
  assert.equal(usage.asked, before);
  await capacity.report(1);
  assert.ok(usage.asked > before);
});

test('limits that were set by hand bound it, the kill switch too, from the moment on that it is told of them', async (t) => {
  const { meter, capacity, record, minuteMs, limits } = await world(t);
  for (let i = 0; i < 60; i++) record(minuteMs + i * 1_000);
  await meter.flush();
  const set = async (chosen: Partial<Limits>): Promise<ComponentCapacity> => {
    limits.choose('catalog', { ...NO_LIMITS, ...chosen });
    capacity.forget();
    return (await capacity.report(7)).components[0]!;
  };
  const slow = await set({ rps: 2, burst: 2 });
  assert.deepEqual(
    slow.limits.map(({ name, limit }) => [name, limit]),
    [
      ['instances', 10],
      ['rps', 2],
    ],
  );
  assert.ok(slow.room.kind === 'measured' && slow.room.boundedBy === 'rps');
  assert.deepEqual((await set({ concurrency: 0 })).room, { kind: 'off' });
});

test('in the first hour of an app there is a cost and room from its first request on, and no forecast', async (t) => {
  const { clock, meter, capacity, record } = await world(t);
  const before = (await capacity.report(7)).components[0]!;
  assert.deepEqual([before.meanMs, before.room], [null, { kind: 'unmeasured' }]);
  record(clock.nowMs());
  await meter.flush();
  const { usage, components } = await capacity.report(7);
  const [catalog] = components;
  assert.deepEqual([catalog!.meanMs, catalog!.cpuMs, catalog!.room.kind], [50, 5, 'measured']);
  assert.deepEqual([usage.days, usage.fromMs, catalog!.peak], [0, null, null]);
});
