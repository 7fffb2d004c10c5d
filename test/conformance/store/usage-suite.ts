import assert from 'node:assert/strict';
import { test } from 'node:test';
import { systemClock } from '../../../src/base/clock.ts';
import { FulcrumError } from '../../../src/base/errors.ts';
import { silentLogger } from '../../../src/base/log.ts';
import { Sketch } from '../../../src/meter/sketch.ts';
import { UsageHistory } from '../../../src/meter/usage-history.ts';
import { UsageMeter } from '../../../src/meter/usage-meter.ts';
import type {
  UsageHours,
  UsageLimits,
  UsageMinute,
  UsagePage,
  UsageQuery,
  UsageStore,
} from '../../../src/model/usage-store.ts';
import { NOON_MS, usageBatch, usageRecord } from '../usage-record.ts';
import { killWriter } from './support/kill-writer.ts';
import { block, minute, row } from './support/usage-things.ts';
import { checksOf, type StoreUnderTest } from './support/store-under-test.ts';

const APP = 'shop';

const MINUTE_MS = 60_000;
const EVERYTHING: UsageQuery = {
  app: APP,
  component: null,
  fromMs: 0,
  toMs: 8.64e15,
  limit: 10_000,
  after: null,
};
const KEEP_ALL: UsageLimits = {
  app: APP,
  minutesBeforeMs: 0,
  arrivalsBeforeMs: 0,
  arrivalBytes: 1e12,
  rowsBeforeMs: 0,
  rows: 1e9,
};

/** What every store of usage must do. */
export function usageSuite(subject: StoreUnderTest): void {
  const check = (name: string, body: (usage: UsageStore & UsageHours) => Promise<void>): void =>
    checksOf(subject)(`usage: ${name}`, (store) => body(store.usage));

  check('a batch is read back as it was', async (usage) => {
    const batch = usageBatch({ minutes: [minute()], arrivals: [block()], rows: [row()] });
    await usage.append(batch);
    assert.deepEqual((await usage.minutes(EVERYTHING)).items, batch.minutes);
    assert.deepEqual((await usage.arrivals(EVERYTHING)).items, batch.arrivals);
    assert.deepEqual((await usage.rows(EVERYTHING)).items, batch.rows);
  });

  check('a part that is appended again replaces what was there', async (usage) => {
    await usage.append(
      usageBatch({
        app: APP,
        minutes: [minute({ count: 1 })],
        arrivals: [block({ count: 1 })],
        rows: [row()],
      }),
    );
    await usage.append(
      usageBatch({
        app: APP,
        minutes: [minute({ count: 7 })],
        arrivals: [block({ count: 7, lastMs: NOON_MS + 5_000 })],
        rows: [row()],
      }),
    );
    assert.deepEqual((await usage.minutes(EVERYTHING)).items, [minute({ count: 7 })]);
    assert.deepEqual((await usage.arrivals(EVERYTHING)).items, [
      block({ count: 7, lastMs: NOON_MS + 5_000 }),
    ]);
    assert.equal((await usage.rows(EVERYTHING)).items.length, 1);
  });

  check('parts of two writers stand side by side', async (usage) => {
    await usage.append(usageBatch({ app: APP, minutes: [minute({ part: 'a.1', count: 2 })] }));
    await usage.append(usageBatch({ app: APP, minutes: [minute({ part: 'b.1', count: 3 })] }));
    assert.deepEqual(
      (await usage.minutes(EVERYTHING)).items.map((item) => item.count),
      [2, 3],
    );
  });

  check('sums beyond 53 bits, fractions, empty texts and any character are kept', async (usage) => {
    const odd = minute({
      billedByteMs: 2 ** 70,
      waitedMs: 0.125,
      revision: '',
      component: 'naïve "c" \u{1f6d2}',
    });
    await usage.append(
      usageBatch({
        app: APP,
        minutes: [odd],
        rows: [row({ requestId: "'; DROP TABLE usage_rows; --" })],
      }),
    );
    assert.deepEqual((await usage.minutes(EVERYTHING)).items, [odd]);
    assert.equal((await usage.rows(EVERYTHING)).items[0]!.requestId, "'; DROP TABLE usage_rows; --");
  });

  check('a range holds its beginning and not its end', async (usage) => {
    const minutes = [0, 1, 2, 3].map((i) => minute({ part: `p${i}`, minuteMs: NOON_MS + i * MINUTE_MS }));
    const rows = [0, 1, 2, 3].map((i) => row({ part: `p${i}`, arrivedAtMs: NOON_MS + i * MINUTE_MS }));
    await usage.append(usageBatch({ app: APP, minutes, rows }));
    const range = { ...EVERYTHING, fromMs: NOON_MS + MINUTE_MS, toMs: NOON_MS + 3 * MINUTE_MS };
    assert.deepEqual(
      (await usage.minutes(range)).items.map((item) => item.part),
      ['p1', 'p2'],
    );
    assert.deepEqual(
      (await usage.rows(range)).items.map((item) => item.part),
      ['p1', 'p2'],
    );
  });

  check('a block is found by any range that it overlaps', async (usage) => {
    await usage.append(
      usageBatch({
        app: APP,
        arrivals: [block({ firstMs: 1_000, lastMs: 2_000 })],
      }),
    );
    const found = async (fromMs: number, toMs: number): Promise<number> =>
      (await usage.arrivals({ ...EVERYTHING, fromMs, toMs })).items.length;
    assert.deepEqual(
      [await found(0, 1_000), await found(0, 1_001), await found(1_500, 1_600), await found(2_000, 9_000)],
      [0, 1, 1, 1],
    );
    assert.equal(await found(2_001, 9_000), 0);
  });

  check('pages hold everything once and in order, for one component and for all', async (usage) => {
    const names = ['cart', 'catalog', 'zoo'];
    const parts = names.flatMap((component) =>
      Array.from({ length: 25 }, (_, i) => ({
        component,
        part: `p${component}${String(i).padStart(2, '0')}`,
        i,
      })),
    );
    await usage.append(
      usageBatch({
        app: APP,
        minutes: parts.map(({ component, part, i }) =>
          minute({ component, part, minuteMs: NOON_MS + Math.floor(i / 3) * MINUTE_MS }),
        ),
        arrivals: parts.map(({ component, part, i }) =>
          block({ component, part, lastMs: NOON_MS + Math.floor(i / 3) }),
        ),
        rows: parts.map(({ component, part, i }) =>
          row({ component, part, arrivedAtMs: NOON_MS + Math.floor(i / 3) }),
        ),
      }),
    );
    for (const component of [null, ...names]) {
      const expected = parts
        .filter((p) => component === null || p.component === component)
        .map((p) => p.part);
      for (const limit of [1, 7, 25, 1_000]) {
        const query = { ...EVERYTHING, component, limit };
        assert.deepEqual(await allParts((q) => usage.minutes(q), query), expected);
        assert.deepEqual(await allParts((q) => usage.arrivals(q), query), expected);
        assert.deepEqual(await allParts((q) => usage.rows(q), query), expected);
      }
    }
  });

  check('a place to go on from that it never gave is refused', async (usage) => {
    await assert.rejects(
      usage.minutes({ ...EVERYTHING, after: '{"x":1}' }),
      (error) => error instanceof FulcrumError && error.code === 'bad-request',
    );
    await assert.rejects(usage.rows({ ...EVERYTHING, after: 'nonsense' }), FulcrumError);
  });

  check('pruning deletes what is too old and nothing else', async (usage) => {
    const hours = Array.from({ length: 1_500 }, (_, i) => NOON_MS + i * MINUTE_MS);
    await usage.append(
      usageBatch({
        app: APP,
        minutes: hours.map((minuteMs, i) => minute({ part: `p${i}`, minuteMs })),
        arrivals: hours.map((atMs, i) => block({ part: `p${i}`, firstMs: atMs, lastMs: atMs + 10 })),
        rows: hours.map((arrivedAtMs, i) => row({ part: `p${i}`, arrivedAtMs })),
      }),
    );
    await usage.prune(KEEP_ALL);
    assert.equal((await usage.minutes(EVERYTHING)).items.length, 1_500);
    await usage.prune({
      ...KEEP_ALL,
      minutesBeforeMs: hours[1_200]!,
      arrivalsBeforeMs: hours[1_300]!,
      rowsBeforeMs: hours[1_400]!,
    });
    const left = {
      minutes: (await usage.minutes(EVERYTHING)).items.map((item) => item.minuteMs),
      arrivals: (await usage.arrivals(EVERYTHING)).items.map((item) => item.firstMs),
      rows: (await usage.rows(EVERYTHING)).items.map((item) => item.arrivedAtMs),
    };
    assert.deepEqual(left, {
      minutes: hours.slice(1_200),
      arrivals: hours.slice(1_300),
      rows: hours.slice(1_400),
    });
  });

  check('pruning keeps the newest of each component within its bounds', async (usage) => {
    const numbers = Array.from({ length: 40 }, (_, i) => i);
    for (const component of ['cart', 'catalog']) {
      await usage.append(
        usageBatch({
          app: APP,
          arrivals: numbers.map((i) =>
            block({ component, part: `${component}${i}`, lastMs: NOON_MS + i, bytes: new Uint8Array(1_000) }),
          ),
          rows: numbers.map((i) => row({ component, part: `${component}${i}`, arrivedAtMs: NOON_MS + i })),
        }),
      );
    }
    await usage.append(
      usageBatch({
        app: APP,
        arrivals: [block({ component: 'small' })],
        rows: [row({ component: 'small' })],
      }),
    );
    await usage.prune({ ...KEEP_ALL, arrivalBytes: 15_000, rows: 10 });
    for (const component of ['cart', 'catalog']) {
      const blocks = (await usage.arrivals({ ...EVERYTHING, component })).items;
      assert.ok(blocks.length >= 8 && blocks.length <= 15, `${blocks.length} blocks`);
      assert.equal(blocks.at(-1)!.lastMs, NOON_MS + 39);
      const rows = (await usage.rows({ ...EVERYTHING, component })).items;
      assert.deepEqual(
        rows.map((item) => item.arrivedAtMs),
        numbers.slice(30).map((i) => NOON_MS + i),
      );
    }
    assert.equal((await usage.arrivals({ ...EVERYTHING, component: 'small' })).items.length, 1);
    assert.equal((await usage.rows({ ...EVERYTHING, component: 'small' })).items.length, 1);
  });

  check('what the meter records, the history tells', async (usage) => {
    const options = { app: APP, store: usage, clock: systemClock, logger: silentLogger, flushMs: 3_600_000 };
    // Two meters: two nodes, or one before and after a restart within the same minute.
    const meters = [new UsageMeter(options), new UsageMeter(options)];
    for (let i = 0; i < 1_000; i++) {
      meters[i % 2]!.record(
        usageRecord({
          arrivedAtMs: NOON_MS + i * 120,
          durationMs: 1 + i / 10,
          billedMs: 2,
          cold: i % 100 === 0,
          requestId: `r_${i}`,
        }),
      );
      if (i % 300 === 0) await meters[i % 2]!.flush();
    }
    for (const meter of meters) await meter.close();

    const history = new UsageHistory(APP, usage);
    const range = { component: 'catalog', fromMs: NOON_MS, toMs: NOON_MS + 2 * MINUTE_MS };
    const minutes = [];
    for await (const item of history.minutes({ ...range, component: null })) minutes.push(item);
    assert.deepEqual(
      minutes.map(({ minuteMs, count, billedMs, cold }) => ({ minuteMs, count, billedMs, cold })),
      [
        { minuteMs: NOON_MS, count: 500, billedMs: 1_000, cold: 5 },
        { minuteMs: NOON_MS + MINUTE_MS, count: 500, billedMs: 1_000, cold: 5 },
      ],
    );
    const whole = new Sketch();
    for (let i = 0; i < 500; i++) whole.add(1 + i / 10);
    assert.deepEqual(minutes[0]!.duration.encode(), whole.encode());

    const arrivals = await history.arrivals(range);
    assert.deepEqual(
      arrivals.map((arrival) => arrival.arrivedAtMs),
      Array.from({ length: 1_000 }, (_, i) => NOON_MS + i * 120),
    );
    assert.equal(arrivals.filter((arrival) => arrival.cold).length, 10);
    const rows = await history.rows(range);
    assert.equal(rows.filter((item) => item.cold).length, 10);
    await assert.rejects(history.arrivals(range, 999), /ask for a shorter one/);
  });

  check('hours sum minutes up, and tell of the busiest minute', async (usage) => {
    const at = (hour: number, minuteOfHour: number): number =>
      NOON_MS + (hour * 60 + minuteOfHour) * MINUTE_MS;
    const of = (minuteMs: number, fields: Partial<UsageMinute>): UsageMinute =>
      minute({
        part: `${minuteMs} ${JSON.stringify(fields)}`,
        minuteMs,
        startMs: 0,
        durationMs: 0,
        cpuMs: 0,
        ...fields,
      });
    const minutes = [
      // Two revisions, modes and outcomes of a minute count together.
      of(at(0, 0), { count: 30, durationMs: 900, cpuMs: 60, startMs: 100 }),
      of(at(0, 0), { count: 10, outcome: 'refused', mode: 'service' }),
      of(at(0, 59), { count: 5, durationMs: 5_000.5, cpuMs: 10, revision: 'r2' }),
      of(at(3, 1), { count: 1, durationMs: 2, cpuMs: 0.25 }),
      // Folded: an hour that is as if each of its minutes had been so.
      of(at(5, 0), { count: 600, spanMs: 60 * MINUTE_MS, durationMs: 60_000, cpuMs: 6_000 }),
      of(at(0, 30), { count: 999, component: 'other' }),
      of(at(9, 0), { count: 999 }),
    ];
    await usage.append(usageBatch({ app: APP, minutes }));
    const query = { app: APP, component: 'catalog', fromMs: NOON_MS - 0.5, toMs: at(9, 0) };
    const hours = [
      {
        hourMs: at(0, 0),
        count: 45,
        refused: 10,
        startMs: 100,
        durationMs: 5_900.5,
        cpuMs: 70,
        minuteCount: 40,
        minuteWorkMs: 5_000.5,
        minuteCpuMs: 60,
      },
      {
        hourMs: at(3, 0),
        count: 1,
        refused: 0,
        startMs: 0,
        durationMs: 2,
        cpuMs: 0.25,
        minuteCount: 1,
        minuteWorkMs: 2,
        minuteCpuMs: 0.25,
      },
      {
        hourMs: at(5, 0),
        count: 600,
        refused: 0,
        startMs: 0,
        durationMs: 60_000,
        cpuMs: 6_000,
        minuteCount: 10,
        minuteWorkMs: 1_000,
        minuteCpuMs: 100,
      },
    ];
    assert.deepEqual(await usage.hours(query), hours);
    assert.deepEqual(await usage.hours({ ...query, fromMs: at(1, 0), toMs: at(4, 0) }), hours.slice(1, 2));
    assert.deepEqual(await usage.hours({ ...query, app: 'elsewhere' }), []);
  });

  check('usage of one app is not seen, pruned or removed with that of another', async (usage) => {
    for (const app of ['', 'shop', 'shop@staging']) {
      const part = `of ${app}`;
      await usage.append(
        usageBatch({
          app,
          minutes: [minute({ part })],
          arrivals: [block({ part })],
          rows: [row({ part })],
        }),
      );
    }
    const parts = async (app: string): Promise<string[]> => [
      ...(await allParts((q) => usage.minutes(q), { ...EVERYTHING, app })),
      ...(await allParts((q) => usage.arrivals(q), { ...EVERYTHING, app })),
      ...(await allParts((q) => usage.rows(q), { ...EVERYTHING, app })),
    ];
    const late = NOON_MS + 1e9;
    await usage.prune({
      ...KEEP_ALL,
      app: 'shop',
      minutesBeforeMs: late,
      arrivalsBeforeMs: late,
      rowsBeforeMs: late,
    });
    assert.deepEqual(await parts('shop'), []);
    for (const app of ['', 'shop@staging']) {
      assert.deepEqual(await parts(app), [`of ${app}`, `of ${app}`, `of ${app}`]);
    }
  });

  checksOf(subject)('usage: what was recorded before there were apps can be given to one', async (store) => {
    const old = { minutes: [minute()], arrivals: [block()], rows: [row()] };
    await store.usage.append(usageBatch({ app: '', ...old }));
    await store.adoptUsage(APP);
    await store.adoptUsage(APP);
    assert.deepEqual((await store.usage.minutes(EVERYTHING)).items, old.minutes);
    assert.deepEqual((await store.usage.arrivals(EVERYTHING)).items, old.arrivals);
    assert.deepEqual((await store.usage.rows(EVERYTHING)).items, old.rows);
  });

  check('moments that are no whole numbers and batches that name a part twice are taken', async (usage) => {
    await usage.append(
      usageBatch({
        app: APP,
        minutes: [minute({ count: 1 }), minute({ count: 2 })],
        rows: [row({ arrivedAtMs: NOON_MS + 0.25, requestId: 'a\0b' })],
      }),
    );
    const range = { ...EVERYTHING, fromMs: NOON_MS - 0.5, toMs: NOON_MS + 0.5 };
    assert.deepEqual(
      (await usage.minutes(range)).items.map((item) => item.count),
      [2],
    );
    assert.equal((await usage.minutes({ ...range, fromMs: NOON_MS + 0.5 })).items.length, 0);
    assert.equal((await usage.rows(range)).items[0]!.arrivedAtMs, NOON_MS + 0.25);
  });

  void test(`${subject.name}: usage: what was acknowledged outlives a SIGKILL, and no batch is there by half`, async () => {
    const { place, clear } = await subject.newPlace();
    try {
      let acknowledged = 0;
      for (let round = 0; round < 3; round++) {
        acknowledged = await killWriter('usage', place, acknowledged + 1);
        const store = await subject.open(place);
        try {
          const minutes = await numbersOf((query) => store.usage.minutes(query));
          const arrivals = await numbersOf((query) => store.usage.arrivals(query));
          const rows = await numbersOf((query) => store.usage.rows(query));
          for (let n = 1; n <= acknowledged; n++)
            assert.ok(minutes.has(n), `batch ${n} was acknowledged and is gone`);
          assert.deepEqual(arrivals, minutes);
          assert.deepEqual(rows, minutes);
          // The last batch may have arrived without its answer.
          acknowledged = Math.max(...minutes);
        } finally {
          await store.close();
        }
      }
    } finally {
      await clear();
    }
  });

  void test(`${subject.name}: usage: a closed store closes again and refuses everything else`, async () => {
    const { place, clear } = await subject.newPlace();
    const store = await subject.open(place);
    const last = store.usage.append(usageBatch({ app: APP, minutes: [minute()] }));
    await Promise.all([last, store.close(), store.close()]);
    await assert.rejects(
      store.usage.minutes(EVERYTHING),
      (error) => error instanceof FulcrumError && error.code === 'store-failed',
    );
    const again = await subject.open(place);
    assert.equal(
      (await again.usage.minutes(EVERYTHING)).items.length,
      1,
      'what was asked before close is there',
    );
    await again.close();
    await clear();
  });
}

/** Appends numbered batches for ever and prints each number acknowledged. */
export async function writeUsage(usage: UsageStore, from: number): Promise<never> {
  for (let n = from; ; n++) {
    const part = String(n);
    await usage.append(
      usageBatch({
        app: APP,
        minutes: [minute({ part })],
        arrivals: [block({ part, bytes: new Uint8Array(2_000) })],
        rows: [row({ part })],
      }),
    );
    process.stdout.write(`${n}\n`);
  }
}

async function allParts(
  ask: (query: UsageQuery) => Promise<UsagePage<{ readonly part: string }>>,
  query: UsageQuery,
): Promise<string[]> {
  const parts: string[] = [];
  let after: string | null = null;
  do {
    const page: UsagePage<{ readonly part: string }> = await ask({ ...query, after });
    assert.ok(page.items.length <= query.limit);
    parts.push(...page.items.map((item) => item.part));
    after = page.next;
  } while (after !== null);
  return parts;
}

async function numbersOf(
  ask: (query: UsageQuery) => Promise<UsagePage<{ readonly part: string }>>,
): Promise<Set<number>> {
  return new Set((await allParts(ask, EVERYTHING)).map(Number).sort((a, b) => a - b));
}
