import assert from 'node:assert/strict';
import { test } from 'node:test';
import { GatheredBody } from './gathered-body.ts';

/** Bytes that differ from place to place. */
function pattern(length: number): Buffer {
  return Buffer.from(Uint8Array.from({ length }, (_, i) => (i * 31 + (i >> 8)) & 255));
}

test('pieces of any size come out as they went in, though each is used anew', () => {
  for (const [length, cut] of [
    [0, 1],
    [5, 5],
    [1_000, 7],
    [700_001, 65_536],
    [9_000_000, 200_000],
  ] as const) {
    for (const told of [null, length, 1, 1e15]) {
      const bytes = pattern(length);
      const body = new GatheredBody(() => told);
      for (let at = 0; at < length; at += cut) {
        const piece = Buffer.from(bytes.subarray(at, at + cut));
        body.add(piece);
        piece.fill(0);
      }
      assert.equal(body.take().equals(bytes), true, `${length} in pieces of ${cut}, said to be ${told}`);
    }
  }
});

test('what is taken for a body is no more than twice what has come of it, whatever is said', () => {
  const body = new GatheredBody(() => 1e12);
  const piece = Buffer.alloc(64 * 1024);
  for (let i = 0; i < 100; i++) body.add(piece);
  const whole = body.take();
  assert.ok(whole.buffer.byteLength <= 2 * 100 * piece.length, `${whole.buffer.byteLength} bytes`);
});

test('a body that is as long as it was said to be takes no more than that, once it is too long for the memory of bodies', () => {
  const length = 7_000_000;
  const body = new GatheredBody(() => length);
  for (let at = 0; at < length; at += 70_000) body.add(Buffer.alloc(70_000));
  assert.equal(body.take().buffer.byteLength, length);
});
