import fc from 'fast-check';
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { NOON_MS } from '../../test/conformance/usage-record.ts';
import { FakeClock } from '../base/fake-clock.ts';
import type { InstanceStretch } from '../model/usage.ts';
import { InstanceBook } from './instance-book.ts';

const MINUTE_MS = 60_000;

test('a stretch counts in the minutes that it lies in, its beginning in the first', () => {
  const book = newBook();
  book.add(stretch({ fromMs: NOON_MS + 50_000, lastsMs: 80_000, begins: true, cpuMs: 800 }));
  const parts = book.take(10).map(({ part: _part, ...counts }) => counts);
  const same = { unit: 'catalog', revision: 'r1', mode: 'service', spanMs: MINUTE_MS } as const;
  const piece = (minute: number, livedMs: number, started: number): unknown => ({
    ...{ ...same, minuteMs: NOON_MS + minute * MINUTE_MS, started, livedMs, heldByteMs: livedMs * 1_000 },
    ...{ watchedMs: livedMs, usedByteMs: livedMs * 400, cpuMs: livedMs / 100 },
  });
  assert.deepEqual(parts, [piece(0, 10_000, 1), piece(1, 60_000, 0), piece(2, 10_000, 0)]);
});

test('what nobody looked at is lived and held, but not watched', () => {
  const book = newBook();
  book.add(stretch({ usedBytes: null }));
  book.add(stretch({ lastsMs: 2_000 }));
  const [minute, ...rest] = book.take(10);
  assert.equal(rest.length, 0);
  const { livedMs, heldByteMs, watchedMs, usedByteMs } = minute!;
  assert.deepEqual([livedMs, heldByteMs, watchedMs, usedByteMs], [12_000, 12e6, 2_000, 8e5]);
});

test('a life of no time is one that has begun', () => {
  const book = newBook();
  book.add(stretch({ lastsMs: 0, begins: true, cpuMs: 3 }));
  const [minute] = book.take(10);
  assert.deepEqual([minute!.started, minute!.livedMs, minute!.cpuMs], [1, 0, 3]);
});

test('what makes no sense spoils nothing, and what lasts for years is a few hundred parts', () => {
  const book = newBook();
  book.add(stretch({ fromMs: NaN, lastsMs: NaN, memoryBytes: -1, usedBytes: Infinity, cpuMs: NaN }));
  book.add(stretch({ unit: 'old', fromMs: 0, lastsMs: 1e15 }));
  const parts = book.take(10_000);
  assert.ok(parts.length <= 402, `${parts.length} parts`);
  for (const part of parts) {
    for (const value of Object.values(part))
      if (typeof value === 'number') assert.ok(Number.isFinite(value) && value >= 0);
  }
  assert.equal(parts[0]!.minuteMs, NOON_MS);
});

test('while the store is away minutes become hours and days, and all that was lived is kept', () => {
  const book = newBook(20);
  const total = 3 * 24 * 60;
  for (let i = 0; i < total; i++)
    book.add(stretch({ fromMs: NOON_MS + i * MINUTE_MS, lastsMs: MINUTE_MS, begins: true }));
  assert.ok(book.size <= 40, `${book.size} cells`);
  const parts = book.take(1_000);
  const sum = (of: (part: (typeof parts)[number]) => number): number =>
    parts.reduce((all, part) => all + of(part), 0);
  assert.equal(
    sum((part) => part.started),
    total,
  );
  assert.equal(
    sum((part) => part.livedMs),
    total * MINUTE_MS,
  );
});

test('whatever the stretches, the sums of their minutes are theirs, and none holds more than fits', () => {
  const stretches = fc.array(
    fc.record({
      unit: fc.constantFrom('a', 'b'),
      mode: fc.constantFrom('function' as const, 'service' as const),
      fromMs: fc.double({ min: NOON_MS, max: NOON_MS + 1e7, noNaN: true }),
      lastsMs: fc.double({ min: 0, max: 5e7, noNaN: true }),
      begins: fc.boolean(),
      usedBytes: fc.option(fc.integer({ min: 0, max: 1e9 })),
      cpuMs: fc.double({ min: 0, max: 1e6, noNaN: true }),
    }),
    { maxLength: 20 },
  );
  fc.assert(
    fc.property(stretches, (given) => {
      const book = newBook();
      for (const one of given) book.add(stretch(one));
      const parts = book.take(100_000);
      const isNear = (a: number, b: number): boolean => Math.abs(a - b) <= 1e-6 * Math.max(1, a, b);
      for (const unit of ['a', 'b']) {
        const own = parts.filter((part) => part.unit === unit);
        const lived = own.reduce((all, part) => all + part.livedMs, 0);
        const began = own.reduce((all, part) => all + part.started, 0);
        const cpu = own.reduce((all, part) => all + part.cpuMs, 0);
        const from = given.filter((one) => one.unit === unit);
        assert.ok(
          isNear(
            lived,
            from.reduce((all, one) => all + one.lastsMs, 0),
          ),
        );
        assert.ok(
          isNear(
            cpu,
            from.reduce((all, one) => all + one.cpuMs, 0),
          ),
        );
        assert.equal(began, from.filter((one) => one.begins).length);
      }
      for (const part of parts) {
        assert.ok(part.livedMs <= part.spanMs * given.length + 1);
        assert.ok(part.watchedMs <= part.livedMs + 1e-6);
        assert.equal(part.minuteMs % part.spanMs, 0);
      }
    }),
    { seed: 7, numRuns: 300 },
  );
});

function newBook(maxCells = 10_000): InstanceBook {
  let parts = 0;
  return new InstanceBook({ nextPart: () => `p${parts++}`, maxCells }, new FakeClock(NOON_MS));
}

function stretch(fields: Partial<InstanceStretch> = {}): InstanceStretch {
  return {
    unit: 'catalog',
    revision: 'r1',
    mode: 'service',
    fromMs: NOON_MS,
    lastsMs: 10_000,
    begins: false,
    memoryBytes: 1_000,
    usedBytes: 400,
    cpuMs: 100,
    ...fields,
  };
}
