import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { ByteRing } from './byte-ring.ts';

const kept = (ring: ByteRing): string[] =>
  Array.from({ length: ring.count }, (_, i) => ring.get(i).toString());

function push(ring: ByteRing, text: string): void {
  const at = ring.push(Buffer.byteLength(text));
  if (at >= 0) ring.buffer.write(text, at);
}

test('the latest records are kept, whole and in order, within both bounds', () => {
  fc.assert(
    fc.property(
      fc.array(fc.string({ unit: 'binary', minLength: 1, maxLength: 300 }), { maxLength: 200 }),
      fc.integer({ min: 1, max: 60 }),
      fc.integer({ min: 100, max: 5_000 }),
      (texts, maxEntries, maxBytes) => {
        const ring = new ByteRing(maxEntries, maxBytes);
        for (const text of texts) push(ring, text);
        const fitting = texts.map((text) => text.toWellFormed()).filter((text) => bytes(text) <= maxBytes);
        const found = kept(ring);
        assert.deepEqual(found, fitting.slice(fitting.length - found.length));
        assert.ok(found.length <= maxEntries);
        assert.equal(
          ring.bytes,
          found.reduce((sum, text) => sum + bytes(text), 0),
        );
        assert.ok(ring.bytes <= maxBytes);
        // Nothing is dropped that need not be, but for what does not fit behind the last one in one piece.
        const longest = Math.max(0, ...fitting.map(bytes));
        if (found.length < Math.min(fitting.length, maxEntries)) {
          assert.ok(ring.bytes + 3 * longest >= maxBytes);
        }
      },
    ),
    { numRuns: 500 },
  );
});

test('a large ring grows with what is in it', () => {
  const ring = new ByteRing(100_000, 16 * 1024 * 1024);
  for (let i = 0; i < 50_000; i++) push(ring, `line ${i} ${'x'.repeat(50)}`);
  assert.equal(ring.count, 50_000);
  assert.match(ring.get(0).toString(), /^line 0 /);
  assert.match(ring.get(49_999).toString(), /^line 49999 /);
});

test('what is bounded by count takes no more memory than its records need', () => {
  const ring = new ByteRing(1_000, 16 * 1024 * 1024);
  for (let i = 0; i < 100_000; i++) push(ring, `line ${i} ${'x'.repeat(100)}`);
  assert.equal(ring.count, 1_000);
  assert.ok(ring.buffer.length <= 4 * ring.bytes, `${ring.buffer.length} bytes for ${ring.bytes}`);
});

function bytes(text: string): number {
  return Buffer.byteLength(text);
}
