import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { FulcrumError } from '../../base/errors.ts';
import type { UsageLine } from '../../model/usage-export.ts';
import { EPOCH_MS } from '../testing/traffic.ts';
import { instancesLine, streamOf, unitFacts, usageLines, type Ran } from '../testing/usage-export.ts';
import type { OwnUsage } from './own-usage.ts';
import { readOwnUsage } from './read-own-usage.ts';
import { usageOfUnit } from './unit-usage.ts';

const MINUTE_MS = 60_000;
const SPAN_MS = 30 * MINUTE_MS;

function read(lines: readonly UsageLine[]): Promise<OwnUsage> {
  return readOwnUsage(streamOf(lines));
}

/** By minute: how many came, and how long they took together. */
function byMinute(times: readonly { readonly atMs: number; readonly durationMs: number }[]): number[][] {
  const minutes = Map.groupBy(times, ({ atMs }) => Math.floor(atMs / MINUTE_MS));
  return [...minutes]
    .sort(([a], [b]) => a - b)
    .map(([minute, all]) => [minute, all.length, all.reduce((sum, { durationMs }) => sum + durationMs, 0)]);
}

const invocation = fc.record({
  atMs: fc.integer({ min: 0, max: SPAN_MS - 1 }),
  durationMs: fc.double({ min: 1, max: 5_000, noNaN: true }),
  mode: fc.constantFrom('function' as const, 'service' as const),
  logged: fc.boolean(),
});

describe('own usage', () => {
  test('gives back what came, in order, whatever mode it ran in', async () => {
    const ran: Ran[] = [
      { atMs: 5_000, durationMs: 80, cpuMs: 20 },
      { atMs: 61_000, durationMs: 40, cpuMs: 40, mode: 'service' },
      { atMs: 2_000, durationMs: 20, cpuMs: 5 },
    ];
    const { components, app } = await read(usageLines(ran, { spanMs: SPAN_MS }));
    const [{ traffic, logged, name }] = components as [OwnUsage['components'][number]];
    assert.deepEqual([app, name, logged], ['shop', 'orders', 1]);
    assert.deepEqual(
      [...traffic.arrivedAtMs].map((ms) => ms - EPOCH_MS),
      [2_000, 5_000, 61_000],
    );
    for (const [i, expected] of [20, 80, 40].entries()) {
      assert.ok(Math.abs(traffic.durationMs[i]! / expected - 1) < 0.006, `${traffic.durationMs[i]}`);
    }
    // Of the first minute a quarter was CPU time, of the second all.
    assert.ok(Math.abs(traffic.cpuMs[1]! / traffic.durationMs[1]! - 0.25) < 1e-6);
    assert.equal(traffic.cpuMs[2], traffic.durationMs[2]);
    assert.deepEqual([traffic.fromMs, traffic.toMs], [EPOCH_MS, EPOCH_MS + SPAN_MS]);
  });

  test('fills up what the log does not have: by minute as many, taking as long', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(invocation, { minLength: 1, maxLength: 200 }), async (ran) => {
        const lines = usageLines(ran, { spanMs: SPAN_MS });
        const { components } = await read(lines);
        const { traffic, logged } = components[0]!;
        const got = [...traffic.arrivedAtMs].map((ms, i) => ({
          atMs: ms - EPOCH_MS,
          durationMs: traffic.durationMs[i]!,
        }));
        const expected = byMinute(ran);
        const found = byMinute(got);
        assert.deepEqual(
          found.map(([minute, count]) => [minute, count]),
          expected.map(([minute, count]) => [minute, count]),
        );
        assert.equal(logged, ran.filter((one) => one.logged).length / ran.length);
        assert.ok(traffic.arrivedAtMs.every((ms, i, all) => i === 0 || ms >= all[i - 1]!));
        assert.deepEqual((await read(lines)).components[0]!.traffic, traffic, 'the same each time');
      }),
      { seed: 11, numRuns: 60 },
    );
  });

  test('what it fills up takes together as long as the minute did', async () => {
    const ran = Array.from({ length: 3_000 }, (_, i): Ran => ({
      atMs: i * 590,
      durationMs: 20 + ((i * 37) % 400),
      logged: i % 3 === 0,
    }));
    const { components } = await read(usageLines(ran, { spanMs: SPAN_MS }));
    const { traffic } = components[0]!;
    const got = [...traffic.arrivedAtMs].map((ms, i) => ({
      atMs: ms - EPOCH_MS,
      durationMs: traffic.durationMs[i]!,
    }));
    for (const [i, [minute, count, sumMs]] of byMinute(ran).entries()) {
      const [foundMinute, foundCount, foundMs] = byMinute(got)[i]!;
      assert.deepEqual([foundMinute, foundCount], [minute, count]);
      assert.ok(Math.abs(foundMs! / sumMs! - 1) < 0.006, `${foundMs} of ${sumMs} ms`);
    }
  });

  test('an hour that had to be folded keeps what its minutes have beside it', async () => {
    const ran: Ran[] = Array.from({ length: 10 }, (_, i) => ({ atMs: i * 1_000, durationMs: 50 }));
    const lines = usageLines(ran, { spanMs: 60 * MINUTE_MS });
    const minute = lines.find(({ kind }) => kind === 'minute')! as Extract<UsageLine, { kind: 'minute' }>;
    const folded = { ...minute, spanMs: 60 * MINUTE_MS, count: 25, durationMs: 25 * 50 };
    const { components } = await read([lines[0]!, minute, folded, ...lines.slice(2)]);
    assert.equal(components[0]!.traffic.arrivedAtMs.length, 35);
    assert.equal(components[0]!.logged, 10 / 35);
  });

  test('who was refused has the mean duration of the others', async () => {
    const { components } = await read(
      usageLines(
        [
          { atMs: 0, durationMs: 100 },
          { atMs: 1, durationMs: 300 },
          { atMs: 2, durationMs: 0, outcome: 'refused' },
        ],
        { spanMs: SPAN_MS },
      ),
    );
    assert.equal(components[0]!.traffic.durationMs[2], 200);
    assert.equal(components[0]!.days[0]!.refused, 1);
  });

  test("a group's instances are its members', by what each had of the work; joined they are whole again", async () => {
    const facts = [unitFacts({ unit: 'back', kind: 'group', members: ['cart', 'orders'] })];
    const ran: Ran[] = [
      { component: 'cart', atMs: 10, durationMs: 300, mode: 'service' },
      { component: 'orders', atMs: 5, durationMs: 100, mode: 'service' },
    ];
    const more = [instancesLine({ unit: 'back', mode: 'service', livedMs: 40_000 })];
    const usage = await read(usageLines(ran, { spanMs: SPAN_MS, facts, more }));
    assert.deepEqual(
      usage.components.map(({ name, days }) => [name, days[0]!.instances.livedMs]),
      [
        ['cart', 30_000],
        ['orders', 10_000],
      ],
    );
    const joined = usageOfUnit(usage, facts[0]!);
    assert.equal(joined.name, 'back');
    assert.equal(joined.days.length, 1);
    const [day] = joined.days;
    assert.deepEqual([day!.executed, day!.wholeMs, day!.instances.livedMs], [2, 400, 40_000]);
    assert.deepEqual([...joined.traffic.arrivedAtMs], [EPOCH_MS + 5, EPOCH_MS + 10]);
    assert.ok(joined.traffic.durationMs[0]! < joined.traffic.durationMs[1]!);
  });

  test('a unit that nothing was asked of has no traffic', async () => {
    const usage = await read(usageLines([], { spanMs: SPAN_MS }));
    const { traffic, days, logged } = usageOfUnit(usage, unitFacts());
    assert.deepEqual([traffic.arrivedAtMs.length, days.length, logged], [0, 0, 1]);
  });

  test('what was cut short, or stands in no order, is refused', async () => {
    const lines = usageLines([{ atMs: 1, durationMs: 5 }], { spanMs: SPAN_MS });
    const cases: [readonly UsageLine[], RegExp][] = [
      [lines.slice(0, -1), /cut short: its last line, "end", is missing/],
      [lines.slice(1), /found a line "minute", expected "usage" as the first line/],
      [[lines[0]!, ...lines], /found a second line "usage"/],
      [[...lines, lines[1]!], /found a line "minute" behind the last/],
      [[{ ...lines[0]!, toMs: EPOCH_MS } as UsageLine], /expected a beginning before its end/],
      [
        lines.map((line) => (line.kind === 'arrivals' ? { ...line, bytes: 'AQE' } : line)),
        /found arrivals of "orders", expected one that can be read/,
      ],
    ];
    for (const [given, message] of cases) {
      await assert.rejects(read(given), (error) => {
        assert.ok(error instanceof FulcrumError && error.code === 'trace-invalid', String(error));
        assert.match(error.message, message);
        return true;
      });
    }
  });
});
