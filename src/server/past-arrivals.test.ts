import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { systemClock } from '../base/clock.ts';
import { FakeClock } from '../base/fake-clock.ts';
import { silentLogger } from '../base/log.ts';
import { UsageHistory, type UsageRange } from '../meter/usage-history.ts';
import { UsageMeter } from '../meter/usage-meter.ts';
import type { Arrival } from '../model/usage-store.ts';
import type { UsageRecord } from '../model/usage.ts';
import { openStore } from '../store/open-store.ts';
import { pastArrivals } from './past-arrivals.ts';

const MIN = 60_000;
const DAY = 1_440 * MIN;

function record(arrivedAtMs: number, o: Partial<UsageRecord> = {}): UsageRecord {
  return {
    component: 'shop',
    revision: 'aaaaaaaaaaaa',
    mode: 'function',
    trigger: 'route',
    outcome: 'ok',
    requestId: 'r_1',
    status: 200,
    arrivedAtMs,
    waitedMs: 0,
    startMs: 0,
    durationMs: 1_000,
    billedMs: 1_000,
    cpuMs: 1,
    cold: false,
    memoryBytes: 1,
    bytesIn: 0,
    bytesOut: 0,
    ...o,
  };
}

/** A store that has counted these, with all its reads. */
async function counted(t: TestContext, clock: FakeClock, records: readonly UsageRecord[]): Promise<Asked> {
  const folder = await mkdtemp(join(tmpdir(), 'fulcrum-past-'));
  t.after(() => rm(folder, { recursive: true }));
  const path = join(folder, 'store.db');
  const store = await openStore({ databaseUrl: null, path, clock: systemClock, logger: silentLogger });
  t.after(() => store.close());
  const meter = new UsageMeter({ app: 'app', store: store.usage, clock, logger: silentLogger });
  for (const one of records) meter.record(one);
  await meter.close();
  return new Asked(new UsageHistory('app', store.usage));
}

class Asked {
  readonly ranges: UsageRange[] = [];
  readonly #history: UsageHistory;

  constructor(history: UsageHistory) {
    this.#history = history;
  }

  arrivals(range: UsageRange & { component: string }, limit: number): Promise<Arrival[]> {
    this.ranges.push(range);
    return this.#history.arrivals(range, limit);
  }
}

test('of a quiet component all of two weeks is read, in order, but for what was refused or is of others', async (t) => {
  const clock = new FakeClock();
  const nowMs = clock.nowMs();
  const asked = await counted(t, clock, [
    record(nowMs - 13 * DAY),
    record(nowMs - 3 * DAY, { mode: 'service' }),
    record(nowMs - 2 * DAY, { outcome: 'refused' }),
    record(nowMs - 100 * MIN, { component: 'cart' }),
    record(nowMs - 10 * MIN),
    record(nowMs - 1),
  ]);
  const past = await pastArrivals(asked, ['shop'], nowMs);
  assert.deepEqual(
    past.map(({ arrivedAtMs }) => nowMs - arrivedAtMs),
    [13 * DAY, 3 * DAY, 10 * MIN, 1],
  );
  assert.ok(past.every(({ durationMs }) => Math.abs(durationMs - 1_000) < 6));
  assert.equal(asked.ranges.length, 12);
  assert.equal(asked.ranges.at(-1)!.fromMs, nowMs - 14 * DAY);
  assert.deepEqual(await pastArrivals(asked, ['nobody'], nowMs), []);
});

test('of a busy component no more is read than says something', async (t) => {
  const clock = new FakeClock();
  const nowMs = clock.nowMs();
  const every = Array.from({ length: 5_000 }, (_, i) => record(nowMs - (5_000 - i) * 1_000));
  const asked = await counted(t, clock, every);
  const past = await pastArrivals(asked, ['shop'], nowMs);
  assert.deepEqual(
    asked.ranges.map(({ fromMs, toMs }) => [(nowMs - fromMs) / MIN, (nowMs - toMs) / MIN]),
    [
      [5, 0],
      [15, 5],
      [35, 15],
    ],
  );
  assert.equal(past.length, 2_100);
  assert.deepEqual(
    past.map(({ arrivedAtMs }) => arrivedAtMs).sort((a, b) => a - b),
    past.map(({ arrivedAtMs }) => arrivedAtMs),
  );
});

test('of one that was too busy for that, what came after is read', async (t) => {
  const clock = new FakeClock();
  const nowMs = clock.nowMs();
  const flood = Array.from({ length: 50_001 }, (_, i) => record(nowMs - 10 * MIN + i));
  const asked = await counted(t, clock, [...flood, record(nowMs - MIN)]);
  const past = await pastArrivals(asked, ['shop'], nowMs);
  assert.deepEqual(
    past.map(({ arrivedAtMs }) => nowMs - arrivedAtMs),
    [MIN],
  );
});
