import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { FakeClock } from '../base/fake-clock.ts';
import type { CallEdge, CallRecord } from '../model/calls.ts';
import { CallBook } from './call-book.ts';
import { bucketOf } from './sketch.ts';
import { callRecord } from './testing/call-record.ts';

const MINUTE_MS = 60_000;

function bookAt(options: Partial<ConstructorParameters<typeof CallBook>[0]> = {}) {
  const clock = new FakeClock();
  return { clock, book: new CallBook({ clock, ...options }) };
}

const named = (edges: readonly CallEdge[]): string[] =>
  edges.map((edge) => `${edge.from} ${edge.to}.${edge.function} ${edge.count}`).sort();

test('an edge has its count, its rate, how many failed and stayed in the process, and its latencies', async () => {
  const { clock, book } = bookAt();
  for (let i = 1; i <= 100; i++)
    book.record(callRecord({ durationMs: i, way: i <= 25 ? 'in-process' : 'wire' }));
  book.record(callRecord({ durationMs: 100, outcome: 'handler-error', code: 'handler-error' }));
  book.record(callRecord({ durationMs: 100, outcome: 'refused', code: 'call-not-allowed' }));
  book.record(callRecord({ durationMs: 100, outcome: 'cancelled', code: 'client-gone' }));
  book.record(callRecord({ function: null }));
  await clock.advance(20_600);
  const { windowMs, edges } = book.graph(5 * MINUTE_MS);
  assert.equal(windowMs, 20_600, 'it has not run longer');
  assert.deepEqual(named(edges), ['cart pricing.null 1', 'cart pricing.priceOf 103']);
  const { count, perSecond, failed, inProcess, p50Ms, p95Ms, p99Ms } = edges[0]!;
  assert.deepEqual([count, failed, inProcess, perSecond], [103, 2, 25, 103 / 20.6]);
  for (const [told, exact] of [
    [p50Ms, 52],
    [p95Ms, 98],
    [p99Ms, 100],
  ] as const)
    assert.ok(Math.abs(told - exact) <= exact * 0.01, `${told} for ${exact}`);
});

test('a window begins with a minute, and nothing is kept beyond an hour', async () => {
  const { clock, book } = bookAt();
  // One in the middle of each minute.
  await clock.advance(30_000);
  for (let minute = 0; minute < 90; minute++) {
    book.record(callRecord());
    await clock.advance(MINUTE_MS);
  }
  const ofMinutes = (minutes: number): number[] => {
    const { windowMs, edges } = book.graph(minutes * MINUTE_MS);
    return [windowMs, edges[0]?.count ?? 0];
  };
  assert.deepEqual(ofMinutes(1), [90_000, 1]);
  assert.deepEqual(ofMinutes(5), [5 * MINUTE_MS + 30_000, 5]);
  assert.deepEqual(ofMinutes(60), [60 * MINUTE_MS + 30_000, 60]);
  assert.deepEqual(ofMinutes(600), ofMinutes(60));
  assert.deepEqual(ofMinutes(-1), [30_000, 0]);
  await clock.advance(61 * MINUTE_MS);
  assert.deepEqual(book.graph(60 * MINUTE_MS).edges, []);
  assert.deepEqual([book.edgeCount, book.buckets], [0, 0], 'what is over is let go of');
  book.record(callRecord());
  assert.deepEqual(named(book.graph(MINUTE_MS).edges), ['cart pricing.priceOf 1']);
});

test('a wall clock that is set, forwards or back, moves nothing', async () => {
  const clock = new FakeClock();
  let wallMs = clock.nowMs();
  const jumping = {
    nowMs: () => wallMs,
    monotonicMs: () => clock.monotonicMs(),
    after: () => assert.fail(),
    every: () => assert.fail(),
  };
  const book = new CallBook({ clock: jumping });
  book.record(callRecord({ atMs: wallMs }));
  wallMs -= 365 * 86_400_000;
  await clock.advance(MINUTE_MS);
  book.record(callRecord({ atMs: wallMs }));
  wallMs += 3_650 * 86_400_000;
  await clock.advance(1_000);
  book.record(callRecord({ atMs: wallMs }));
  assert.equal(book.graph(10 * MINUTE_MS).edges[0]!.count, 3);
});

test('just begun, rates are not of no time at all', () => {
  const { book } = bookAt();
  for (let i = 0; i < 5; i++) book.record(callRecord());
  assert.deepEqual(
    book.graph(MINUTE_MS).edges.map(({ perSecond }) => perSecond),
    [5],
  );
});

test('edges beyond a number are counted together, of each caller first, and no call is lost', () => {
  const { book } = bookAt({ maxEdges: 8, maxEdgesFrom: 5 });
  for (let i = 0; i < 20; i++) book.record(callRecord({ from: 'hostile', function: `f${i}` }));
  assert.deepEqual(named(book.graph(MINUTE_MS).edges), [
    'hostile *.* 16',
    'hostile pricing.f0 1',
    'hostile pricing.f1 1',
    'hostile pricing.f2 1',
    'hostile pricing.f3 1',
  ]);
  for (const from of ['a', 'b', 'c', 'd', 'e']) book.record(callRecord({ from }));
  for (let i = 0; i < 9; i++) book.record(callRecord({ from: 'a', to: '*', function: `g${i}` }));
  const { edges } = book.graph(MINUTE_MS);
  assert.equal(edges.length, 9);
  assert.ok(named(edges).includes('* *.* 11'), named(edges).join());
  assert.equal(
    edges.reduce((sum, { count }) => sum + count, 0),
    34,
  );
});

test('a name is cut, and no rest has more than its part', () => {
  const { book } = bookAt({ maxEdgesFrom: 3 });
  book.record(callRecord({ function: 'f'.repeat(70_000) }));
  for (let i = 0; i < 9; i++) book.record(callRecord({ to: '*', function: `g${i}` }));
  const { edges } = book.graph(MINUTE_MS);
  assert.deepEqual(named(edges), ['cart *.* 8', 'cart *.g0 1', `cart pricing.${'f'.repeat(100)}… 1`]);
});

test('latencies that are spread widely cost the oldest minutes, and the graph says of how long it is', async () => {
  const { clock, book } = bookAt({ maxBuckets: 6_000 });
  for (let minute = 0; minute < 30; minute++) {
    for (const name of ['a', 'b', 'c'])
      for (let exponent = -3; exponent <= 3; exponent++)
        book.record(callRecord({ function: name, durationMs: 10 ** exponent }));
    await clock.advance(MINUTE_MS);
  }
  assert.ok(book.buckets <= 6_000, `${book.buckets}`);
  const { windowMs, edges } = book.graph(60 * MINUTE_MS);
  assert.ok(windowMs < 10 * MINUTE_MS && windowMs >= MINUTE_MS, `${windowMs}`);
  assert.deepEqual(
    edges.map(({ count }) => count),
    [0, 0, 0].map(() => (7 * windowMs) / MINUTE_MS),
    'of those minutes, all',
  );
});

test('sums and quantiles equal those of a naive count, whatever comes when', async () => {
  const outcomes = ['ok', 'ok', 'handler-error', 'timeout', 'crashed', 'cancelled', 'refused'] as const;
  const call = fc.record({
    from: fc.constantFrom('a', 'b'),
    to: fc.constantFrom('a', 'b', 'c'),
    function: fc.constantFrom('f', 'g', null),
    way: fc.constantFrom('wire' as const, 'in-process' as const),
    outcome: fc.constantFrom(...outcomes),
    durationMs: fc.double({ min: 0, max: 100_000, noNaN: true }),
  });
  const steps = fc.array(fc.tuple(call, fc.integer({ min: 0, max: 3 * MINUTE_MS })), { maxLength: 60 });
  await fc.assert(
    fc.asyncProperty(steps, fc.integer({ min: 1_000, max: 60 * MINUTE_MS }), async (given, windowMs) => {
      const { clock, book } = bookAt();
      const all: [CallRecord, number][] = [];
      for (const [part, pauseMs] of given) {
        all.push([callRecord(part), clock.monotonicMs()]);
        book.record(all.at(-1)![0]);
        await clock.advance(pauseMs);
      }
      const graph = book.graph(windowMs);
      const since = Math.max(0, Math.floor((clock.monotonicMs() - windowMs) / MINUTE_MS) * MINUTE_MS);
      const within = all.filter(([, endedMs]) => endedMs >= since).map(([record]) => record);
      const expected = [
        ...Map.groupBy(within, (record) => `${record.from} ${record.to}.${record.function}`),
      ].map(([name, those]) => {
        const buckets = those.map(({ durationMs }) => bucketOf(durationMs)).toSorted((x, y) => x - y);
        return {
          name,
          count: those.length,
          failed: those.filter(({ outcome }) => outcome !== 'ok' && outcome !== 'cancelled').length,
          inProcess: those.filter(({ way }) => way === 'in-process').length,
          median: buckets[Math.ceil(buckets.length / 2) - 1]!,
        };
      });
      const told = graph.edges.map(({ from, to, function: name, count, failed, inProcess, p50Ms }) => ({
        ...{ name: `${from} ${to}.${name}`, count, failed, inProcess },
        median: bucketOf(p50Ms),
      }));
      const byName = (x: { name: string }, y: { name: string }): number => (x.name < y.name ? -1 : 1);
      assert.deepEqual(told.toSorted(byName), expected.toSorted(byName));
    }),
    { numRuns: 200 },
  );
});
