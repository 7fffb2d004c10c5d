import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ReadBuffer, readBlockOf, type ReadBlock } from './read-buffer.ts';

function read(into: ReadBuffer, text: string, use: (bytes: Buffer) => void): void {
  into.dealt(into.bytes.write(text), use);
}

test('the next read goes to the same place, unless somebody keeps what was read', () => {
  const into = new ReadBuffer(1_000);
  const first = into.bytes;
  read(into, 'one', () => undefined);
  assert.ok(into.bytes === first);
  let kept: Buffer = Buffer.alloc(0);
  read(into, 'two', (bytes) => {
    kept = bytes.subarray(1);
    readBlockOf(kept)!.keep();
  });
  assert.ok(into.bytes !== first);
  read(into, 'xxx', () => undefined);
  assert.equal(kept.toString(), 'wo');
});

test('what all have let go is read into again, and not before', () => {
  const into = new ReadBuffer(2_000);
  const first = into.bytes;
  let block: ReadBlock | null = null;
  read(into, 'one', (bytes) => {
    block = readBlockOf(bytes);
    block!.keep();
    block!.keep();
  });
  const nextPlace = (): Buffer => {
    const other = new ReadBuffer(2_000);
    other.release();
    return other.bytes;
  };
  block!.letGo();
  assert.ok(nextPlace() !== first);
  block!.letGo();
  assert.ok(nextPlace() === first);
});

test('only what is being dealt with can be kept', () => {
  const into = new ReadBuffer(3_000);
  let view: Buffer = Buffer.alloc(0);
  read(into, 'one', (bytes) => {
    view = bytes;
    assert.equal(readBlockOf(Buffer.from('elsewhere')), null);
  });
  assert.equal(readBlockOf(view), null);
  assert.throws(() => read(into, 'two', () => assert.fail('the reader failed')));
  assert.equal(readBlockOf(view), null);
});
