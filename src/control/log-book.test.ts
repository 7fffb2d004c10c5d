import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import type { LogEntry, PackedKind } from '../model/log.ts';
import { LogBook } from './log-book.ts';
import type { LogBatch } from './log-follower.ts';

function entry(part: Partial<LogEntry> = {}): LogEntry {
  return {
    atMs: 0,
    component: 'catalog',
    stream: 'stdout',
    level: 'info',
    text: '',
    instance: null,
    revision: null,
    requestId: null,
    fields: null,
    ...part,
  };
}

/** What an entry takes as it is kept, beside its text, where its moment has two digits. */
const JSON_BYTES = 1 + JSON.stringify(entry({ atMs: 59 })).length;

const settled = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

test('the book keeps the latest entries within both bounds, in order', () => {
  fc.assert(
    fc.property(
      fc.array(fc.nat({ max: 2_000 }), { maxLength: 60 }),
      fc.integer({ min: 1, max: 20 }),
      fc.integer({ min: 1_000, max: 8_000 }),
      (lengths, maxEntries, maxBytes) => {
        const book = new LogBook({ maxEntries, maxBytes });
        lengths.forEach((length, i) => book.write(entry({ atMs: 10 + i, text: 'x'.repeat(length) })));

        const kept = book.query({ limit: Infinity });
        assert.ok(book.bytes <= maxBytes);
        assert.ok(kept.length <= maxEntries);
        assert.equal(kept.length, book.entryCount);
        // Those that are kept are the end of those that fit at all.
        const fitting = lengths.flatMap((length, i) => (JSON_BYTES + length <= maxBytes ? [10 + i] : []));
        assert.deepEqual(
          kept.map(({ atMs }) => atMs),
          fitting.slice(fitting.length - kept.length),
        );
      },
    ),
  );
});

test('a query finds what a plain filter of the kept entries finds', () => {
  const level = fc.constantFrom('debug', 'info', 'warn', 'error');
  const order = ['debug', 'info', 'warn', 'error'];
  const name = fc.constantFrom('a', 'b');
  const request = fc.constantFrom('r_1', 'r_2', null);
  const written = fc.array(fc.record({ component: name, level, requestId: request }), { maxLength: 40 });
  const options = { requiredKeys: ['limit'] as ['limit'] };
  const query = fc.record(
    {
      component: name,
      level,
      requestId: fc.constantFrom('r_1', 'r_2'),
      sinceMs: fc.nat(40),
      limit: fc.nat(30),
    },
    options,
  );
  fc.assert(
    fc.property(written, query, (parts, query) => {
      const book = new LogBook({ maxEntries: 25, maxBytes: 1e6 });
      const entries = parts.map((part, i) => entry({ ...part, atMs: i }));
      for (const each of entries) book.write(each);
      const expected = entries
        .slice(-25)
        .filter((each) => query.component === undefined || each.component === query.component)
        .filter((each) => query.requestId === undefined || each.requestId === query.requestId)
        .filter((each) => query.sinceMs === undefined || each.atMs >= query.sinceMs)
        .filter(
          (each) => query.level === undefined || order.indexOf(each.level) >= order.indexOf(query.level),
        );
      const latest = query.limit === 0 ? [] : expected.slice(-query.limit);
      assert.deepEqual(book.query(query), latest);
    }),
  );
});

test('a very long line is cut and says by how much', () => {
  const book = new LogBook({ maxEntries: 10, maxBytes: 1e6 });
  book.write(entry({ text: 'x'.repeat(40_000) }));
  assert.match(book.query({ limit: 1 })[0]!.text, /^x{32768}… \(7232 more characters\)$/);
});

test('a follower gets what matches, in batches of a tick, until it ends', async () => {
  const book = new LogBook({ maxEntries: 10, maxBytes: 1e6 });
  book.write(entry({ text: 'before' }));
  const batches: LogBatch[] = [];
  const end = book.follow({ level: 'warn' }, (batch) => void batches.push(batch));
  book.write(entry({ text: 'one', level: 'warn' }));
  book.write(entry({ text: 'quiet', level: 'info' }));
  book.write(entry({ text: 'two', level: 'error' }));
  await settled();
  assert.deepEqual(
    batches.map(({ missed, entries }) => ({ missed, texts: entries.map(({ text }) => text) })),
    [{ missed: 0, texts: ['one', 'two'] }],
  );
  end();
  book.write(entry({ text: 'three', level: 'error' }));
  await settled();
  assert.equal(batches.length, 1);
});

test('a slow follower is bounded, and told how much it missed', async () => {
  const book = new LogBook({ maxEntries: 10, maxBytes: 1e6 });
  const batches: LogBatch[] = [];
  let release = (): void => undefined;
  book.follow({}, (batch) => {
    batches.push(batch);
    return new Promise((resolve) => (release = resolve));
  });
  book.write(entry({ atMs: 0 }));
  await settled();
  for (let i = 1; i <= 1_500; i++) book.write(entry({ atMs: i }));
  await settled();
  assert.equal(batches.length, 1, 'nothing more is handed over while it works');
  release();
  await settled();
  assert.equal(batches[1]?.missed, 500);
  assert.equal(batches[1]?.entries.length, 1_000);
  assert.equal(batches[1]?.entries.at(-1)?.atMs, 1_500);

  for (let i = 0; i < 100; i++) book.write(entry({ text: 'x'.repeat(30_000) }));
  release();
  await settled();
  assert.ok(batches[2]!.entries.length < 20, 'the bound counts bytes too');
  assert.equal(batches[2]!.missed + batches[2]!.entries.length, 100);
});

test('a follower that throws or rejects is dropped and harms nobody', async () => {
  const book = new LogBook({ maxEntries: 10, maxBytes: 1e6 });
  const calls = { throwing: 0, rejecting: 0, good: 0 };
  book.follow({}, () => {
    calls.throwing += 1;
    throw new Error('broken');
  });
  book.follow({}, () => {
    calls.rejecting += 1;
    return Promise.reject(new Error('broken'));
  });
  book.follow({}, () => void (calls.good += 1));
  book.write(entry());
  await settled();
  book.write(entry());
  await settled();
  assert.deepEqual(calls, { throwing: 1, rejecting: 1, good: 2 });
});

test('each entry is made again by who knows how it had packed itself', () => {
  const packed = (kind: PackedKind): LogEntry => ({
    ...entry(),
    packed: { kind, lengthBytes: 1, write: (bytes, at) => void (bytes[at] = 7) },
  });
  const book = new LogBook({
    maxEntries: 10,
    maxBytes: 1_000,
    unpack: {
      access: (bytes) => entry({ text: `access ${bytes.join()}` }),
      call: (bytes) => entry({ text: `call ${bytes.join()}` }),
    },
  });
  book.write(packed('call'));
  book.write(entry({ text: 'in words' }));
  book.write(packed('access'));
  assert.deepEqual(
    book.query({ limit: 9 }).map(({ text }) => text),
    ['call 7', 'in words', 'access 7'],
  );
});
