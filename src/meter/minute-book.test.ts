import assert from 'node:assert/strict';
import { test } from 'node:test';
import { NOON_MS, usageRecord } from '../../test/conformance/usage-record.ts';
import type { UsageMinute } from '../model/usage-store.ts';
import type { UsageRecord } from '../model/usage.ts';
import { MinuteBook } from './minute-book.ts';
import { bucketOf, Sketch } from './sketch.ts';

test('records of one minute, outcome, mode and revision count together, and apart where one differs', () => {
  const book = newBook();
  add(book, { durationMs: 10, billedMs: 11, cpuMs: 3, memoryBytes: 1_000, cold: true, startMs: 40 });
  add(book, { durationMs: 20, billedMs: 20, cpuMs: 4, memoryBytes: 1_000, waitedMs: 5 });
  add(book, { outcome: 'timeout' });
  add(book, { mode: 'service' });
  add(book, { revision: 'r2' });
  add(book, { component: 'cart' });
  add(book, { arrivedAtMs: NOON_MS + 60_000 });
  const parts = book.take(100);
  assert.equal(parts.length, 6);
  const { part: _part, latency, duration, ...counts } = parts[0]!;
  assert.deepEqual(counts, {
    component: 'catalog',
    revision: 'r1',
    mode: 'function',
    outcome: 'ok',
    minuteMs: NOON_MS,
    spanMs: 60_000,
    count: 2,
    cold: 1,
    waitedMs: 5,
    startMs: 40,
    durationMs: 30,
    billedMs: 31,
    billedByteMs: 31_000,
    wholeMs: 70,
    wholeByteMs: 70_000,
    hundredsMs: 200,
    internal: 0,
    bytesIn: 0,
    bytesOut: 0,
    cpuMs: 7,
  });
  assert.ok(Math.abs(Sketch.decode(latency).quantile(1)! - 25) < 0.26);
  assert.ok(Math.abs(Sketch.decode(duration).quantile(1)! - 20) < 0.21);
  assert.equal(new Set(parts.map((part) => part.part)).size, 6);
});

test('what each would be as a function counts in both modes, but for those that were never begun', () => {
  for (const mode of ['function', 'service'] as const) {
    const book = newBook();
    add(book, {
      mode,
      durationMs: 99.5,
      startMs: 0.4,
      memoryBytes: 10,
      billedMs: mode === 'function' ? 100 : 0,
    });
    add(book, { mode, durationMs: 0.25, startMs: 100, trigger: 'call', bytesIn: 7, bytesOut: 9 });
    add(book, { mode, durationMs: 5, trigger: 'event', bytesOut: 1, memoryBytes: 0 });
    const [minute] = book.take(10);
    const { wholeMs, wholeByteMs, hundredsMs, internal, bytesIn, bytesOut } = minute!;
    assert.deepEqual([wholeMs, wholeByteMs, hundredsMs], [100 + 101 + 5, 1_000 + 101, 100 + 200 + 100]);
    assert.deepEqual([internal, bytesIn, bytesOut], [1, 7, 10]);
    add(book, { mode, outcome: 'refused', waitedMs: 30, durationMs: 30, bytesIn: 3 });
    const [refused] = book.take(10);
    assert.deepEqual([refused!.wholeMs, refused!.hundredsMs, refused!.bytesIn], [0, 0, 3]);
  }
});

test('a record that ends after its minute counts in the minute of its arrival', () => {
  const book = newBook();
  add(book, { arrivedAtMs: NOON_MS + 59_999 }, 1_000);
  add(book, { arrivedAtMs: NOON_MS + 60_000 }, 1_001);
  add(book, { arrivedAtMs: NOON_MS + 1, durationMs: 90_000 }, 1_002);
  const byMinute = new Map(book.take(10).map((part) => [part.minuteMs, part.count]));
  assert.deepEqual(
    [...byMinute],
    [
      [NOON_MS, 2],
      [NOON_MS + 60_000, 1],
    ],
  );
});

test('a part that grows is sent again whole, under the same id', () => {
  const book = newBook();
  add(book, {});
  const [first] = book.take(10);
  assert.deepEqual(book.take(10), []);
  add(book, {});
  const [second] = book.take(10);
  assert.equal(second!.part, first!.part);
  assert.deepEqual([first!.count, second!.count], [1, 2]);
});

test('a cell that is over is forgotten, and a late record begins another part', () => {
  const book = newBook();
  add(book, {}, 0);
  const [first] = book.take(10);
  book.evict(80_000);
  assert.equal(book.size, 1);
  book.evict(90_000);
  assert.equal(book.size, 0);
  add(book, {}, 90_001);
  const [late] = book.take(10);
  assert.notEqual(late!.part, first!.part);
  assert.deepEqual([late!.minuteMs, late!.count], [NOON_MS, 1]);
});

test('what was not taken yet is never forgotten', () => {
  const book = newBook();
  add(book, {}, 0);
  book.evict(1e9);
  assert.equal(book.take(10).length, 1);
});

test('too many cells are folded into hours, then days; nothing is lost and nothing is counted twice', () => {
  const stored = new Map<string, UsageMinute>();
  const book = newBook(100);
  const minutes = 10_000;
  for (let i = 0; i < minutes; i++) {
    add(book, { arrivedAtMs: NOON_MS + i * 60_000, durationMs: 1 + (i % 50) }, i * 60_000);
    // One batch goes out before the store goes away; what it held must keep its parts.
    if (i === 30) for (const part of book.take(100)) stored.set(part.part, part);
    if (i === 31) add(book, { arrivedAtMs: NOON_MS }, i * 60_000);
    assert.ok(book.size <= 200, `${book.size} cells`);
  }
  assert.ok(book.folded > 0);
  for (const part of book.take(1_000)) stored.set(part.part, part);
  const parts = [...stored.values()];
  assert.equal(sum(parts.map((part) => part.count)), minutes + 1);
  assert.equal(sum(parts.map((part) => Sketch.decode(part.latency).count)), minutes + 1);
  for (const part of parts) {
    assert.equal(part.minuteMs % part.spanMs, 0);
    assert.equal(part.component, 'catalog');
  }
  assert.ok(parts.some((part) => part.spanMs === 86_400_000));
});

test('even more revisions than cells stay within the bound', () => {
  const book = newBook(50);
  for (let i = 0; i < 1_000; i++) add(book, { revision: `r${i}` });
  assert.ok(book.size <= 100, `${book.size} cells`);
  assert.equal(sum(book.take(1_000).map((part) => part.count)), 1_000);
});

function newBook(maxCells = 1_000): MinuteBook {
  let parts = 0;
  return new MinuteBook({ nextPart: () => `p${parts++}`, maxCells });
}

function add(book: MinuteBook, fields: Partial<UsageRecord>, nowMs = 0): void {
  const record = usageRecord(fields);
  book.add(record, bucketOf(record.durationMs), nowMs);
}

function sum(list: readonly number[]): number {
  return list.reduce((total, value) => total + value, 0);
}
