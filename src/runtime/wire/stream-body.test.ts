import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FulcrumError } from '../../base/errors.ts';
import type { WireStream } from './stream.ts';
import { StreamBody } from './stream-body.ts';

function body(lengthBytes: number | null = null): {
  body: StreamBody;
  seen: string[];
  read: () => void;
  consumed: () => number;
  stops: () => number;
} {
  let [consumed, stops] = [0, 0];
  const stream = { consumed: (bytes: number) => void (consumed += bytes) } as WireStream;
  const of = new StreamBody(stream, lengthBytes, () => void stops++);
  const seen: string[] = [];
  const read = (): void =>
    of.read({
      data: (chunk) => void seen.push(Buffer.from(chunk).toString()),
      end: () => void seen.push('end'),
      fail: (error) => void seen.push(`failed: ${error.code}`),
    });
  return { body: of, seen, read, consumed: () => consumed, stops: () => stops };
}

test('what comes before it is read, or while it is paused, waits, and its credit with it', () => {
  const { body: of, seen, read, consumed } = body();
  const memory = Buffer.from('abc');
  of.data(memory);
  memory.fill('x');
  assert.equal(consumed(), 0);
  read();
  assert.deepEqual([seen, consumed()], [['abc'], 3]);
  of.pause();
  of.data(Buffer.from('de'));
  of.whole();
  assert.deepEqual([seen, consumed()], [['abc'], 3]);
  of.resume();
  assert.deepEqual([seen, consumed(), of.isComing], [['abc', 'de', 'end'], 5, false]);
});

test('a body of another length than was said is broken off before anything too much is given', () => {
  const long = body(3);
  long.read();
  long.body.data(Buffer.from('ab'));
  long.body.data(Buffer.from('cd'));
  assert.deepEqual([long.seen, long.stops()], [['ab', 'failed: bad-request'], 1]);
  const short = body(3);
  short.read();
  short.body.data(Buffer.from('ab'));
  short.body.whole();
  assert.deepEqual(short.seen, ['ab', 'failed: bad-request']);
  const right = body(2);
  right.read();
  right.body.data(Buffer.from('ab'));
  right.body.whole();
  assert.deepEqual(right.seen, ['ab', 'end']);
});

test('what is not wanted is thrown away, and the peer told once while it still sends', () => {
  const { body: of, seen, read, consumed, stops } = body();
  read();
  of.cancel();
  of.cancel();
  of.data(Buffer.from('abc'));
  of.whole();
  assert.deepEqual([seen, consumed(), stops()], [[], 3, 1]);
  const whole = body();
  whole.body.whole();
  whole.body.cancel();
  assert.equal(whole.stops(), 0);
});

test('a failure is told to whoever reads it, then or later', () => {
  for (const before of [true, false]) {
    const { body: of, seen, read } = body();
    if (before) read();
    of.fail(new FulcrumError('client-gone', 'gone'));
    if (!before) read();
    assert.deepEqual(seen, ['failed: client-gone']);
  }
});
