import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import * as fc from 'fast-check';
import { FulcrumError } from '../../base/errors.ts';
import { MAX_CALL_DEPTH, type CallRecord } from '../../model/calls.ts';
import { readCalled, RECORD_BYTES } from '../wire/called-records.ts';
import { FRAME } from '../wire/frames.ts';
import { MAX_CALLED_BYTES } from '../wire/limits.ts';
import { connectionOver, socketPair } from '../wire/testing/pair.ts';
import { CallRecords, type LocalRecord } from './call-records.ts';
import { Span } from './span.ts';

const RUNS = process.env['FULCRUM_FULL'] === undefined ? 300 : 10_000;
const MEMBERS = ['cart', 'stock'];
const NOW = 1_700_000_000_000;
const PARENT = Span.of('00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01');

const record = (more: Partial<LocalRecord> = {}): LocalRecord => ({
  from: 'cart',
  to: 'stock',
  function: 'reserve',
  requestId: 'r_1',
  outcome: 'ok',
  code: null,
  depth: 1,
  span: PARENT.child(),
  parentSpan: PARENT,
  atMs: NOW - 5,
  durationMs: 1.5,
  ...more,
});

/** Records whose frames are read; `turn` ends what a turn of the loop would. */
async function taking(
  t: TestContext,
): Promise<{ records: CallRecords; turn: () => Promise<Buffer>; due: () => number }> {
  const [near, far] = await socketPair(t);
  const frames: Buffer[] = [];
  let came = (): void => undefined;
  connectionOver(near, 'server', {
    control: (type, _flags, payload) => {
      assert.equal(type, FRAME.CALLED);
      frames.push(Buffer.from(payload));
      came();
    },
  });
  const connection = connectionOver(far, 'instance');
  const records = new CallRecords({ connection });
  let due = 0;
  records.begin(() => due++);
  const turn = async (): Promise<Buffer> => {
    const { promise, resolve } = Promise.withResolvers<void>();
    came = resolve;
    records.flush();
    connection.flush();
    await promise;
    return frames.pop()!;
  };
  return { records, turn, due: () => due };
}

test('calls of a turn are told together, and read as they were', async (t) => {
  const { records, turn, due } = await taking(t);
  const [first, second] = [
    record(),
    record({ from: 'stock', to: 'cart', outcome: 'timeout', code: 'timeout', depth: 3 }),
  ];
  records.add(first);
  records.add(second);
  records.add(record({ function: 'f'.repeat(2_000), requestId: 'r_2' }));
  assert.equal(due(), 1);
  const { records: read, dropped } = readCalled(await turn(), MEMBERS, NOW);
  const expected: CallRecord = {
    ...{ from: 'cart', to: 'stock', function: 'reserve', way: 'in-process', outcome: 'ok', code: null },
    ...{ requestId: 'r_1', span: first.span.traceparent.slice(36, 52), parentSpan: 'b7ad6b7169203331' },
    ...{ depth: 1, atMs: NOW - 5, durationMs: 1.5, attempts: 1 },
  };
  assert.equal(dropped, 0);
  assert.deepEqual(read[0], expected);
  const { from, to, outcome, code, depth, span } = read[1]!;
  assert.deepEqual([from, to, outcome, code, depth], ['stock', 'cart', 'timeout', 'timeout', 3]);
  assert.equal(span, second.span.traceparent.slice(36, 52));
  assert.deepEqual([read[2]!.function!.length, read[2]!.requestId], [1_024, 'r_2']);
});

test('what there is no room for is counted, and the next turn has room again', async (t) => {
  const { records, turn, due } = await taking(t);
  for (let i = 0; i < 10_000; i++) records.add(record());
  const payload = await turn();
  assert.ok(payload.length <= MAX_CALLED_BYTES + 6);
  const { records: read, dropped } = readCalled(payload, MEMBERS, NOW);
  assert.ok(read.length > 6_000);
  assert.equal(read.length + dropped, 10_000);
  records.add(record());
  assert.equal(due(), 2);
  assert.deepEqual(readCalled(await turn(), MEMBERS, NOW).dropped, 0);
});

test('before anybody takes them none is kept', async (t) => {
  const [near, far] = await socketPair(t);
  connectionOver(near, 'server');
  const connection = connectionOver(far, 'instance');
  const records = new CallRecords({ connection });
  records.add(record());
  let due = 0;
  records.begin(() => due++);
  records.flush();
  assert.equal(due, 0);
});

test('what an instance claims that cannot be breaks the protocol', async (t) => {
  const { records, turn } = await taking(t);
  records.add(record());
  const good = await turn();
  // The texts end where the one record begins.
  const at = good.length - RECORD_BYTES;
  const changed = (change: (bytes: Buffer) => void): Buffer => {
    const bytes = Buffer.from(good);
    change(bytes);
    return bytes;
  };
  const cases: [string, Buffer][] = [
    ['cut short', good.subarray(0, 5)],
    ['cut short', Buffer.from([0, 0, 0, 0, 1, 0])],
    ['within a record', good.subarray(0, good.length - 1)],
    ['too long a text', changed((bytes) => bytes.writeUInt16LE(60_000, 6))],
    ['of no member', changed((bytes) => bytes.writeUInt16LE(2, at))],
    ['of no member', changed((bytes) => bytes.writeUInt16LE(0xffff, at + 2))],
    ['lacks a text', changed((bytes) => bytes.writeUInt16LE(77, at + 4))],
    [
      'no known code',
      changed((bytes) => {
        bytes.writeUInt16LE(2, at + 6);
        bytes[at + 10] = 1;
      }),
    ],
    ['without an outcome', changed((bytes) => (bytes[at + 10] = 9))],
    ['without an outcome', changed((bytes) => (bytes[at + 10] = 1))],
    ['of no request', changed((bytes) => bytes.writeUInt16LE(0xffff, at + 8))],
    ['of no depth', changed((bytes) => (bytes[at + 11] = 0))],
    ['of no depth', changed((bytes) => (bytes[at + 11] = MAX_CALL_DEPTH + 2))],
    ['of no time', changed((bytes) => bytes.writeDoubleLE(Number.NaN, at + 28))],
  ];
  for (const [what, payload] of cases) {
    assert.throws(
      () => readCalled(payload, MEMBERS, NOW),
      { code: 'wire-protocol', message: new RegExp(what) },
      what,
    );
  }
  const [early] = readCalled(
    changed((bytes) => bytes.writeDoubleLE(-1e300, at + 28)),
    MEMBERS,
    NOW,
  ).records;
  assert.equal(early!.atMs, NOW - 86_400_000);
  const [late] = readCalled(
    changed((bytes) => bytes.writeDoubleLE(1e300, at + 28)),
    MEMBERS,
    NOW,
  ).records;
  assert.equal(late!.atMs, NOW);
});

test('whatever comes is read or refused, and nothing of it is out of bounds', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 400 }), fc.nat(3), (bytes, texts) => {
      const payload = Buffer.from(bytes);
      // Most would not come as far as a record.
      if (payload.length > 6) payload.writeUInt16LE(texts, 4);
      try {
        for (const read of readCalled(payload, MEMBERS, NOW).records) {
          assert.ok(
            MEMBERS.includes(read.from) && MEMBERS.includes(read.to) && read.atMs <= NOW && read.depth >= 1,
          );
        }
      } catch (error) {
        assert.ok(error instanceof FulcrumError && error.code === 'wire-protocol', String(error));
      }
    }),
    { numRuns: RUNS },
  );
});
