import assert from 'node:assert/strict';
import { after, describe, test } from 'node:test';
import fc from 'fast-check';
import { openBook } from '../../meter/price-book.ts';
import type { Comparison } from '../../model/comparison.ts';
import { functionModel, serviceModel } from '../testing/traffic.ts';
import { unitFacts, usageLines } from '../testing/usage-export.ts';
import { logNormalOf } from '../traffic/durations.ts';
import { TraceFolder } from '../traffic/testing/trace-folder.ts';
import { compare } from './compare.ts';
import type { ComparisonProgress, ComparisonRequest } from './request.ts';

const folder = new TraceFolder();
after(() => folder.end());

const START_MS = Date.UTC(2026, 0, 31);
const BOOKS = ['aws-lambda-x86', 'aws-fargate-x86'].map(openBook);

function request(o: Partial<ComparisonRequest>): ComparisonRequest {
  return {
    paths: [],
    generated: null,
    format: null,
    strict: true,
    seed: 1,
    pathSegments: 0,
    cpuShare: 0.5,
    durations: { distribution: logNormalOf(50, 50), text: 'p50 50ms, p99 50ms' },
    modes: ['function', 'service'],
    books: BOOKS,
    memoryBytes: null,
    coldStart: null,
    keepAliveMs: null,
    concurrency: { function: null, service: null },
    providerCpu: false,
    freeTier: false,
    without: [],
    ...o,
  };
}

/** So many a second of each component, for an hour. */
function hourOf(
  rates: Readonly<Record<string, number>>,
  o: Partial<ComparisonRequest> = {},
): Promise<Comparison> {
  const rows = Object.entries(rates).flatMap(([component, rate]) =>
    Array.from({ length: rate * 3_600 }, (_, i) =>
      JSON.stringify({
        component,
        arrivedAtMs: START_MS + (i * 1_000) / rate,
        durationMs: 50,
        cpuMs: 25,
        memoryBytes: 2 ** 28,
      }),
    ),
  );
  return compare(request({ paths: [folder.write('hour.jsonl', rows)], ...o }));
}

describe('a comparison', () => {
  test('finds the cheaper mode, and each function its own', async () => {
    const found = await hourOf({ seldom: 0.1, often: 40 });
    assert.equal(found.verdict?.mode, 'service');
    assert.equal(found.verdict.book, 'aws-fargate-x86');
    assert.ok(found.verdict.perMonth < found.verdict.other.perMonth);
    assert.deepEqual(
      found.functions.map(({ name, cheaper }) => [name, cheaper]),
      [
        ['often', 'service'],
        ['seldom', 'function'],
      ],
    );
    const { mixed } = found.verdict;
    assert.deepEqual([mixed?.functions, mixed?.services], [1, 1]);
    assert.ok(mixed!.perMonth < found.verdict.perMonth);
  });

  test('its bill is what can be worked out by hand', async () => {
    const { offers, modes } = await hourOf(
      { only: 2 },
      { without: ['gateway'], coldStart: { p50Ms: 0, p99Ms: 0 } },
    );
    const [lambda] = offers;
    // 2/s × 50 ms × 256 MB, for 730 hours, and $0.20 a million.
    const expected = 2 * 3_600 * 730 * (0.05 * 0.25 * 0.0000166667 + 0.2 / 1e6);
    assert.ok(Math.abs(lambda!.perMonth! - expected) < 0.011, `${lambda!.perMonth} is not ${expected}`);
    assert.deepEqual(modes[0]!.latency, { p50Ms: 50, p95Ms: 50, p99Ms: 50 });
    assert.equal(modes[0]!.executed, 7_200);
    assert.equal(modes[1]!.instances.peak, 1);
  });

  test("an app's own usage is replayed with its settings, as far as the request says nothing else", async () => {
    const facts = [
      unitFacts({
        function: functionModel({ memoryBytes: 2 ** 29, keepAliveMs: 100 }).settings,
        service: serviceModel({ minReplicas: 2, maxReplicas: 2, concurrency: 7 }).settings,
      }),
    ];
    const ran = Array.from({ length: 720 }, (_, i) => ({ atMs: i * 5_000, durationMs: 50, cpuMs: 10 }));
    const path = folder.write(
      'own.jsonl',
      usageLines(ran, { spanMs: 3_600_000, facts }).map((line) => JSON.stringify(line)),
    );
    const own = await compare(request({ paths: [path] }));
    // Every use is a cold start where instances stay for a tenth of a second.
    assert.equal(own.modes[0]!.coldStarts, 720);
    assert.equal(own.modes[1]!.instances.peak, 2);
    assert.ok(Math.abs(own.modes[0]!.used.gbSeconds / (own.modes[0]!.used.wholeMs / 1_000) - 0.5) < 1e-9);
    const changed = await compare(request({ paths: [path], keepAliveMs: 60_000, memoryBytes: 2 ** 28 }));
    assert.equal(changed.modes[0]!.coldStarts, 1);
    assert.ok(changed.modes[0]!.used.gbSeconds < own.modes[0]!.used.gbSeconds * 0.6);
  });

  test("CPU time on the provider's part of a processor takes longer, where that is asked for", async () => {
    const without = ['gateway'];
    const as = await hourOf({ one: 2 }, { without });
    const stretched = await hourOf({ one: 2 }, { without, providerCpu: true });
    assert.ok(stretched.offers[0]!.perMonth! > as.offers[0]!.perMonth! * 1.5);
    assert.equal(
      stretched.offers.at(-1)!.perMonth,
      as.offers.at(-1)!.perMonth,
      'a service is sized by it anyway',
    );
  });

  test('more traffic never costs less', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 1, max: 20 }),
        fc.integer({ min: 0, max: 20 }),
        async (rate, more) => {
          const [less, most] = [await hourOf({ one: rate }), await hourOf({ one: rate + more })];
          for (const [i, offer] of less.offers.entries()) {
            if (offer.perMonth !== null) assert.ok(most.offers[i]!.perMonth! >= offer.perMonth, offer.book);
          }
        },
      ),
      { seed: 2, numRuns: 5 },
    );
  });

  test('tells how far it is, in order', async () => {
    const seen: ComparisonProgress[] = [];
    const path = folder.write('few.jsonl', [`{"time":${START_MS}}`]);
    await compare(request({ paths: [path] }), (progress) => seen.push(progress));
    assert.deepEqual([...new Set(seen.map(({ step }) => step))], ['reading', 'replaying', 'pricing']);
    assert.ok(seen.every(({ done, total }) => done <= total));
  });

  test('says what it had to assume', async () => {
    const { notes } = await compare(
      request({ paths: [folder.write('few.csv', ['timestamp,value', '2026-01-31 12:00:00,5'])] }),
    );
    for (const part of [
      'Durations are not in the trace',
      'CPU time is not in the trace: taken as 50 %',
      'Memory is not in the trace: 128 MB',
      'less than a day',
    ]) {
      assert.ok(
        notes.some((note) => note.includes(part)),
        part,
      );
    }
  });

  test('takes cold starts from the trace, where it tells them', async () => {
    const report = (init: string): string =>
      `2026-01-31T12:00:10.500Z REPORT RequestId: 5f\tDuration: 10 ms\tBilled Duration: 10 ms\tMemory Size: 512 MB\t${init}`;
    const path = folder.write('cold.log', [
      report('Init Duration: 800 ms'),
      report('').replace('12:', '13:'),
    ]);
    const { modes, notes } = await compare(request({ paths: [path] }));
    assert.equal(modes[0]!.latency?.p99Ms, 810);
    assert.ok(notes.includes('Cold starts take what the 1 init durations in the trace tell.'));
  });
});
