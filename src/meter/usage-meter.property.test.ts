import fc from 'fast-check';
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { NOON_MS, usageRecord } from '../../test/conformance/usage-record.ts';
import { FakeClock } from '../base/fake-clock.ts';
import { silentLogger } from '../base/log.ts';
import type { UsageBatch } from '../model/usage-store.ts';
import { PartsStore } from './testing/parts-store.ts';
import { UsageMeter } from './usage-meter.ts';

type Step =
  | { readonly do: 'record'; readonly count: number; readonly components: number }
  | { readonly do: 'wait'; readonly ms: number }
  | { readonly do: 'flush' }
  | { readonly do: 'store'; readonly fails: boolean; readonly storesAnyway: boolean };

const steps = fc.array(
  fc.oneof(
    {
      weight: 4,
      arbitrary: fc.record({
        do: fc.constant('record' as const),
        count: fc.nat(300),
        components: fc.integer({ min: 1, max: 250 }),
      }),
    },
    {
      weight: 4,
      arbitrary: fc.record({
        do: fc.constant('wait' as const),
        ms: fc.constantFrom(1, 400, 1_000, 9_000, 70_000),
      }),
    },
    { weight: 1, arbitrary: fc.record({ do: fc.constant('flush' as const) }) },
    {
      weight: 2,
      arbitrary: fc.record({
        do: fc.constant('store' as const),
        fails: fc.boolean(),
        storesAnyway: fc.boolean(),
      }),
    },
  ),
  { maxLength: 25 },
);

test('whenever a server is killed: never more is written than was done, and all from before it wrote last', async () => {
  await fc.assert(
    fc.asyncProperty(steps, async (order: readonly Step[]) => {
      const clock = new FakeClock(NOON_MS);
      const store = new PartsStore();
      const options = { app: 'shop', store: store.port, logger: silentLogger, maxCells: 40 };
      let lives = true;
      const append = (batch: UsageBatch): Promise<void> =>
        lives ? store.append(batch) : new Promise(() => undefined);
      const killed = new UsageMeter({
        ...{ ...options, clock, node: 'killed' },
        store: { ...store.port, append },
      });
      const recordedMs: number[] = [];
      for (const step of order) {
        if (step.do === 'wait') await clock.advance(step.ms);
        else if (step.do === 'flush') await killed.flush().catch(() => undefined);
        else if (step.do === 'store')
          Object.assign(store, { fails: step.fails, storesAnyway: step.storesAnyway });
        else {
          for (let i = 0; i < step.count; i++) {
            killed.record(usageRecord({ component: `c${i % step.components}`, arrivedAtMs: clock.nowMs() }));
            recordedMs.push(clock.nowMs());
          }
        }
      }
      // It is killed here; what is under way arrives.
      lives = false;
      for (let turn = 0; turn < 3; turn++) await new Promise((resolve) => setImmediate(resolve));
      const billedMs = [...store.minutes.values()].reduce((sum, minute) => sum + minute.billedMs, 0);
      assert.ok(billedMs <= recordedMs.length);
      assert.equal(store.count(), billedMs);
      const [writer] = store.writers.values();
      if (writer === undefined) return assert.equal(billedMs, 0, 'who has written is known');
      assert.ok(billedMs >= recordedMs.filter((ms) => ms < writer.wroteMs).length);

      Object.assign(store, { fails: false });
      const later = new FakeClock(clock.nowMs() + 700);
      const next = new UsageMeter({
        ...options,
        clock: later,
        node: 'next',
        hasEnded: (node) => node === 'killed',
      });
      await later.advance(0);
      assert.deepEqual(store.gaps, [{ fromMs: writer.wroteMs, toMs: clock.nowMs() + 700 }]);
      await next.close();
      assert.equal(store.writers.size, 0);
    }),
    { seed: 11, numRuns: 150 },
  );
});

test('while the store takes what it is given, no more is missing than of the last second', async () => {
  const waits = fc.array(fc.record({ ms: fc.nat(3_000), count: fc.nat(50) }), {
    minLength: 1,
    maxLength: 20,
  });
  await fc.assert(
    fc.asyncProperty(waits, async (order) => {
      const clock = new FakeClock(NOON_MS);
      const store = new PartsStore();
      const meter = new UsageMeter({ app: 'shop', store: store.port, logger: silentLogger, clock });
      const recordedMs: number[] = [];
      for (const { ms, count } of order) {
        for (let i = 0; i < count; i++) {
          meter.record(usageRecord({ arrivedAtMs: clock.nowMs() }));
          recordedMs.push(clock.nowMs());
        }
        await clock.advance(ms);
      }
      const killedMs = clock.nowMs();
      assert.ok(store.count() >= recordedMs.filter((atMs) => atMs < killedMs - 1_000).length);
    }),
    { seed: 12, numRuns: 150 },
  );
});
