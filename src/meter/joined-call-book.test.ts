import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FakeClock } from '../base/fake-clock.ts';
import { CALL_REST } from '../model/calls.ts';
import { JoinedCallBook, type JoinedCallBookOptions } from './joined-call-book.ts';
import { callRecord } from './testing/call-record.ts';

const NOON_MS = Date.UTC(2026, 0, 1, 12);
const HOUR_MS = 3_600_000;

test('calls within a process count by caller, callee and hour; those over the wire do not', async () => {
  const { book, clock } = newBook();
  const inProcess = { way: 'in-process', durationMs: 2 } as const;
  book.record(callRecord({ way: 'wire' }));
  book.record(callRecord(inProcess));
  book.record(callRecord({ ...inProcess, function: 'another', outcome: 'timeout' }));
  book.record(callRecord({ ...inProcess, outcome: 'cancelled' }));
  book.record(callRecord({ ...inProcess, from: 'web', durationMs: NaN }));
  await clock.advance(HOUR_MS);
  book.record(callRecord(inProcess));
  assert.deepEqual(
    book.take(10).map(({ part: _part, ...counts }) => counts),
    [
      { caller: 'cart', callee: 'pricing', hourMs: NOON_MS, count: 3, failed: 1, durationMs: 6 },
      { caller: 'web', callee: 'pricing', hourMs: NOON_MS, count: 1, failed: 0, durationMs: 0 },
      { caller: 'cart', callee: 'pricing', hourMs: NOON_MS + HOUR_MS, count: 1, failed: 0, durationMs: 2 },
    ],
  );
  assert.deepEqual(book.take(10), []);
});

test('what grows is taken again whole, as the same part', () => {
  const { book } = newBook();
  book.record(callRecord({ way: 'in-process' }));
  const [first] = book.take(10);
  book.record(callRecord({ way: 'in-process' }));
  const [again] = book.take(10);
  assert.equal(again!.part, first!.part);
  assert.deepEqual([first!.count, again!.count], [1, 2]);
});

test('names that are made up count together beyond a number', () => {
  const { book } = newBook({ maxPairs: 10 });
  for (let i = 0; i < 1_000; i++)
    book.record(callRecord({ way: 'in-process', to: `${'x'.repeat(500)}${i}`, from: `from${i}` }));
  const parts = book.take(10_000);
  assert.equal(parts.length, 11);
  const rest = parts.find(({ callee }) => callee === CALL_REST);
  assert.equal(rest!.count, 990);
  assert.ok(parts.every(({ callee }) => callee.length <= 101));
});

test('while the store is away what is held is bounded, and no call is lost', async () => {
  const { book, clock } = newBook({ maxWaiting: 10 });
  for (let hour = 0; hour < 100; hour++) {
    for (let i = 0; i < 5; i++) book.record(callRecord({ way: 'in-process', to: `c${i}` }));
    await clock.advance(HOUR_MS);
  }
  assert.equal(book.waiting, 10);
  const parts = book.take(100);
  assert.equal(
    parts.reduce((sum, part) => sum + part.count, 0),
    500,
  );
});

function newBook(options: Partial<JoinedCallBookOptions> = {}): { book: JoinedCallBook; clock: FakeClock } {
  const clock = new FakeClock(NOON_MS);
  let parts = 0;
  return { book: new JoinedCallBook({ clock, nextPart: () => `p${parts++}`, ...options }), clock };
}
