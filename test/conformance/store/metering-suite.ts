import assert from 'node:assert/strict';
import type {
  InstanceMinute,
  JoinedCalls,
  UsageHours,
  UsageLimits,
  UsageQuery,
  UsageStore,
  UsageWriter,
} from '../../../src/model/usage-store.ts';
import { FakeClock } from '../../../src/base/fake-clock.ts';
import type { Logger } from '../../../src/base/log.ts';
import { LostWriters } from '../../../src/meter/lost-writers.ts';
import { callRecord } from '../../../src/meter/testing/call-record.ts';
import { UsageHistory } from '../../../src/meter/usage-history.ts';
import { UsageMeter } from '../../../src/meter/usage-meter.ts';
import { NOON_MS, usageBatch, usageRecord } from '../usage-record.ts';
import { newApp } from './support/things.ts';
import { checksOf, type StoreUnderTest } from './support/store-under-test.ts';

const APP = 'shop';
const MINUTE_MS = 60_000;
const HOUR_MS = 3_600_000;
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

/** What every store must do with instances' lives, calls within processes, and who writes. */
export function meteringSuite(subject: StoreUnderTest): void {
  const check = (name: string, body: (usage: UsageStore & UsageHours) => Promise<void>): void =>
    checksOf(subject)(`metering: ${name}`, (store) => body(store.usage));

  check('instances and calls are read back as they were, and a part again replaces itself', async (usage) => {
    const instances = [lived({ started: 1 }), lived({ part: 'q', unit: 'näme', heldByteMs: 2 ** 70 })];
    const joinedCalls = [calls(), calls({ part: 'q', callee: 'rest *', count: 2 ** 40 })];
    await usage.append(usageBatch({ instances: [lived({ started: 9, livedMs: 0.1 })], joinedCalls }));
    await usage.append(usageBatch({ instances, joinedCalls: [calls({ count: 1, durationMs: 0 })] }));
    await usage.append(usageBatch({ joinedCalls }));
    assert.deepEqual((await usage.instances(EVERYTHING)).items, instances);
    assert.deepEqual((await usage.joinedCalls(EVERYTHING)).items, joinedCalls);
  });

  check(
    'instances and calls come by component, moment and part, page by page, and by range',
    async (usage) => {
      const numbers = Array.from({ length: 20 }, (_, i) => i);
      const part = (name: string, i: number): string => `${name}${String(i).padStart(2, '0')}`;
      const instances = ['cart', 'zoo'].flatMap((unit) =>
        numbers.map((i) => lived({ unit, part: part(unit, i), minuteMs: NOON_MS + (i >> 1) * MINUTE_MS })),
      );
      const joinedCalls = ['cart', 'zoo'].flatMap((callee) =>
        numbers.map((i) => calls({ callee, part: part(callee, i), hourMs: NOON_MS + (i >> 1) * HOUR_MS })),
      );
      await usage.append(usageBatch({ instances: instances.toReversed(), joinedCalls }));
      for (const limit of [1, 7, 1_000]) {
        const query = { ...EVERYTHING, limit };
        assert.deepEqual(await all((q) => usage.instances(q), query), instances);
        assert.deepEqual(await all((q) => usage.joinedCalls(q), query), joinedCalls);
        const zoo = {
          ...query,
          component: 'zoo',
          fromMs: NOON_MS + MINUTE_MS,
          toMs: NOON_MS + 3 * MINUTE_MS,
        };
        assert.deepEqual(await all((q) => usage.instances(q), zoo), instances.slice(22, 26));
        const hours = { ...query, component: 'zoo', fromMs: NOON_MS + HOUR_MS, toMs: NOON_MS + 3 * HOUR_MS };
        assert.deepEqual(await all((q) => usage.joinedCalls(q), hours), joinedCalls.slice(22, 26));
      }
    },
  );

  check('a writer is known from its first batch until it is closed', async (usage) => {
    await usage.append(usageBatch({ writer: writer({ id: 'late', sinceMs: NOON_MS + 5 }) }));
    await usage.append(usageBatch({ writer: writer() }));
    await usage.append(usageBatch({ writer: writer({ wroteMs: NOON_MS + 7_000 }) }));
    await usage.append(usageBatch({ app: 'other', writer: writer({ id: 'theirs' }) }));
    await usage.append(usageBatch());
    assert.deepEqual(await usage.writers(APP), [
      writer({ wroteMs: NOON_MS + 7_000 }),
      writer({ id: 'late', sinceMs: NOON_MS + 5 }),
    ]);
    await usage.append(usageBatch({ writer: writer({ closed: true }) }));
    await usage.append(usageBatch({ writer: writer({ id: 'never seen', closed: true }) }));
    assert.deepEqual(
      (await usage.writers(APP)).map(({ id }) => id),
      ['late'],
    );
  });

  check('a writer is buried once, with what it may have lost', async (usage) => {
    await usage.append(usageBatch({ writer: writer() }));
    const gap = { fromMs: NOON_MS, toMs: NOON_MS + 12_000 };
    const buried = await Promise.all([usage.bury(APP, 'w', gap), usage.bury(APP, 'w', gap)]);
    assert.equal(buried.filter(Boolean).length, 1);
    assert.deepEqual(await usage.writers(APP), []);
    assert.deepEqual(await usage.gaps(APP, 0, 8.64e15), [gap]);
    assert.equal(await usage.bury(APP, 'w', { ...gap, toMs: NOON_MS + 99_000 }), false);
    assert.equal(await usage.bury('other', 'w', gap), false);
    assert.deepEqual(await usage.gaps(APP, 0, 8.64e15), [gap]);
    assert.deepEqual(await usage.gaps('other', 0, 8.64e15), []);
  });

  check('a writer that has written since is not buried', async (usage) => {
    await usage.append(usageBatch({ writer: writer({ wroteMs: NOON_MS + 1 }) }));
    assert.equal(await usage.bury(APP, 'w', { fromMs: NOON_MS, toMs: NOON_MS + 60_000 }), false);
    assert.equal((await usage.writers(APP)).length, 1);
    assert.deepEqual(await usage.gaps(APP, 0, 8.64e15), []);
  });

  check('gaps are found by any range that they overlap, the oldest first, and pruned', async (usage) => {
    for (const [id, wroteMs, toMs] of [
      ['b', NOON_MS + 5_000, NOON_MS + 6_000],
      ['a', NOON_MS, NOON_MS + 2_000],
      // A clock that was set back: it has an end after its beginning all the same.
      ['c', NOON_MS + 9_000, NOON_MS + 1_000],
    ] as const) {
      await usage.append(usageBatch({ writer: writer({ id, wroteMs }) }));
      assert.equal(await usage.bury(APP, id, { fromMs: wroteMs, toMs }), true);
    }
    const found = async (fromMs: number, toMs: number): Promise<number[]> =>
      (await usage.gaps(APP, NOON_MS + fromMs, NOON_MS + toMs)).map((gap) => gap.fromMs - NOON_MS);
    assert.deepEqual(await found(-1, 10_000), [0, 5_000, 9_000]);
    assert.deepEqual(await found(-9, 0), []);
    assert.deepEqual(await found(-9, 0.5), [0]);
    assert.deepEqual(await found(1_999.5, 5_000), [0]);
    assert.deepEqual(await found(2_000, 5_001), [5_000]);
    assert.deepEqual(await found(9_000, 9_001), [9_000]);
    await usage.prune({ ...KEEP_ALL, minutesBeforeMs: NOON_MS + 6_000 });
    assert.deepEqual(await found(-1, 10_000), [9_000]);
  });

  check('of more gaps than are told one by one, the last reaches to the end of the rest', async (usage) => {
    const lose = async (i: number): Promise<void> => {
      const wroteMs = NOON_MS + i * 1_000;
      await usage.append(usageBatch({ writer: writer({ id: `w${i}`, wroteMs }) }));
      await usage.bury(APP, `w${i}`, { fromMs: wroteMs, toMs: wroteMs + 500 });
    };
    for (let from = 0; from < 1_010; from += 101)
      await Promise.all(Array.from({ length: 101 }, (_, i) => lose(from + i)));
    const gaps = await usage.gaps(APP, 0, 8.64e15);
    assert.equal(gaps.length, 1_000);
    assert.deepEqual(gaps[998], { fromMs: NOON_MS + 998_000, toMs: NOON_MS + 998_500 });
    assert.deepEqual(gaps[999], { fromMs: NOON_MS + 999_000, toMs: NOON_MS + 1_009_500 });
    const early = await usage.gaps(APP, 0, NOON_MS + 999_001);
    assert.deepEqual(early.at(-1), { fromMs: NOON_MS + 999_000, toMs: NOON_MS + 999_500 });
  });

  check('pruning of counts takes old instances and calls along', async (usage) => {
    const numbers = Array.from({ length: 1_200 }, (_, i) => i);
    await usage.append(
      usageBatch({
        instances: numbers.map((i) =>
          lived({ unit: `u${i % 3}`, part: `p${i}`, minuteMs: NOON_MS + i * MINUTE_MS }),
        ),
        joinedCalls: numbers.map((i) =>
          calls({ callee: `u${i % 3}`, part: `p${i}`, hourMs: NOON_MS + i * MINUTE_MS }),
        ),
      }),
    );
    await usage.prune({ ...KEEP_ALL, minutesBeforeMs: NOON_MS + 1_100 * MINUTE_MS });
    const kept = numbers.slice(1_100).map((i) => NOON_MS + i * MINUTE_MS);
    const minutes = (await usage.instances(EVERYTHING)).items.map(({ minuteMs }) => minuteMs);
    const hours = (await usage.joinedCalls(EVERYTHING)).items.map(({ hourMs }) => hourMs);
    assert.deepEqual(new Set(minutes), new Set(kept));
    assert.deepEqual(new Set(hours), new Set(kept));
    assert.deepEqual([minutes.length, hours.length], [100, 100]);
  });

  check(
    'what two meters count, the history tells as one; what one lost without a word is a gap',
    async (usage) => {
      const clock = new FakeClock(NOON_MS);
      const warned: object[] = [];
      const none = (): void => undefined;
      const logger: Logger = {
        debug: none,
        info: none,
        error: none,
        warn: (fields) => void warned.push(fields),
      };
      const options = { app: APP, store: usage, clock, logger, hasEnded: (node: string) => node === 'old' };
      const meters = [
        new UsageMeter({ ...options, node: 'old' }),
        new UsageMeter({ ...options, node: 'new' }),
      ];
      for (const meter of meters) {
        for (const mode of ['function', 'service'] as const) {
          meter.record(
            usageRecord({ mode, durationMs: 10.5, startMs: 90, billedMs: 101, bytesIn: 3, bytesOut: 4 }),
          );
          meter.instances.record({
            ...{
              unit: 'catalog',
              revision: 'r1',
              mode,
              fromMs: NOON_MS + 30_000,
              lastsMs: 60_000,
              begins: true,
            },
            ...{ memoryBytes: 1_000, usedBytes: 500, cpuMs: 6 },
          });
        }
        meter.joinedCalls.record(
          callRecord({ way: 'in-process', from: 'cart', to: 'catalog', durationMs: 2 }),
        );
        await meter.flush();
      }
      // The first says no more; this it had in memory.
      meters[0]!.record(usageRecord());
      clock.setWallMs(NOON_MS + 4_000);
      await meters[1]!.close();
      await new LostWriters({ ...options, self: 'another' }).step();

      const history = new UsageHistory(APP, usage);
      const range = { component: null, fromMs: NOON_MS, toMs: NOON_MS + HOUR_MS };
      const minutes: unknown[] = [];
      for await (const { mode, count, wholeMs, hundredsMs, bytesOut } of history.minutes(range))
        minutes.push([mode, count, wholeMs, hundredsMs, bytesOut]);
      assert.deepEqual(inOrder(minutes), [
        ['function', 2, 202, 400, 8],
        ['service', 2, 202, 400, 8],
      ]);
      const lives: unknown[] = [];
      for await (const { mode, minuteMs, started, livedMs, usedByteMs, cpuMs } of history.instances(range))
        lives.push([mode, (minuteMs - NOON_MS) / MINUTE_MS, started, livedMs, usedByteMs, cpuMs]);
      assert.deepEqual(inOrder(lives), [
        ['function', 0, 2, 60_000, 3e7, 6],
        ['function', 1, 0, 60_000, 3e7, 6],
        ['service', 0, 2, 60_000, 3e7, 6],
        ['service', 1, 0, 60_000, 3e7, 6],
      ]);
      const joined = [];
      for await (const one of history.joinedCalls(range)) joined.push(one);
      assert.deepEqual(joined, [
        { caller: 'cart', callee: 'catalog', hourMs: NOON_MS, count: 2, failed: 0, durationMs: 4 },
      ]);
      assert.deepEqual(await history.gaps(range), [{ fromMs: NOON_MS, toMs: NOON_MS + 4_000 }]);
      assert.equal(warned.length, 1);
      assert.deepEqual(await usage.writers(APP), []);
    },
  );

  checksOf(subject)(
    'metering: all of it goes with its app, and nothing of others',
    async ({ apps, usage }) => {
      for (const app of [APP, 'other']) {
        await apps.create(newApp({ id: app }));
        const instances = [lived({ part: app })];
        await usage.append(
          usageBatch({ app, instances, joinedCalls: [calls({ part: app })], writer: writer() }),
        );
        await usage.append(usageBatch({ app, writer: writer({ id: 'lost' }) }));
        await usage.bury(app, 'lost', { fromMs: NOON_MS, toMs: NOON_MS + 1 });
      }
      await apps.remove(APP);
      const left = async (app: string): Promise<number[]> => [
        (await usage.instances({ ...EVERYTHING, app })).items.length,
        (await usage.joinedCalls({ ...EVERYTHING, app })).items.length,
        (await usage.writers(app)).length,
        (await usage.gaps(app, 0, 8.64e15)).length,
      ];
      assert.deepEqual(await left(APP), [0, 0, 0, 0]);
      assert.deepEqual(await left('other'), [1, 1, 1, 1]);
    },
  );
}

function inOrder(list: readonly unknown[]): unknown[] {
  return list.toSorted((a, b) => String(a).localeCompare(String(b)));
}

async function all<T>(
  ask: (query: UsageQuery) => Promise<{ readonly items: readonly T[]; readonly next: string | null }>,
  query: UsageQuery,
): Promise<T[]> {
  const items: T[] = [];
  let after: string | null = null;
  do {
    const page = await ask({ ...query, after });
    items.push(...page.items);
    after = page.next;
  } while (after !== null);
  return items;
}

function lived(fields: Partial<InstanceMinute> = {}): InstanceMinute {
  return {
    part: 'p',
    unit: 'catalog',
    revision: 'r1',
    mode: 'service',
    minuteMs: NOON_MS,
    spanMs: MINUTE_MS,
    started: 2,
    livedMs: 61_000.5,
    heldByteMs: 6.1e12,
    watchedMs: 60_000,
    usedByteMs: 3e12,
    cpuMs: 12.25,
    ...fields,
  };
}

function calls(fields: Partial<JoinedCalls> = {}): JoinedCalls {
  return {
    part: 'p',
    caller: 'cart',
    callee: 'catalog',
    hourMs: NOON_MS,
    count: 12,
    failed: 1,
    durationMs: 3.5,
    ...fields,
  };
}

function writer(fields: Partial<UsageWriter> = {}): UsageWriter {
  return { id: 'w', node: 'n', sinceMs: NOON_MS - 60_000, wroteMs: NOON_MS, closed: false, ...fields };
}
