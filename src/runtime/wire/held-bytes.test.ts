import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { HeldBytes } from './held-bytes.ts';

test('what is held comes back as it came, in whatever pieces', () => {
  const steps = fc.array(
    fc.oneof(fc.uint8Array({ maxLength: 3_000 }), fc.constant('shift'), fc.constant('take')),
  );
  fc.assert(
    fc.property(steps, (all) => {
      const held = new HeldBytes();
      let expected = Buffer.alloc(0);
      for (const step of all) {
        if (step === 'shift' || step === 'take') {
          const part = step === 'take' ? held.take() : held.shift();
          assert.equal(part === null, step === 'shift' && expected.length === 0);
          assert.notEqual(step === 'shift' ? part?.length : 1, 0);
          const length = part?.length ?? 0;
          if (step === 'take') assert.equal(length, expected.length);
          assert.deepEqual(part ?? Buffer.alloc(0), expected.subarray(0, length));
          expected = expected.subarray(length);
        } else {
          held.push(step);
          expected = Buffer.concat([expected, step]);
        }
        assert.equal(held.lengthBytes, expected.length);
      }
    }),
  );
});

test('a million single bytes are few blocks, and none of them is the sender’s memory', () => {
  const held = new HeldBytes();
  const piece = new Uint8Array([7]);
  for (let i = 0; i < 1_000_000; i++) held.push(piece);
  piece[0] = 8;
  held.push(new Uint8Array(0));
  let [blocks, bytes] = [0, 0];
  for (let part = held.shift(); part !== null; part = held.shift()) {
    blocks++;
    bytes += part.length;
    assert.ok(part.every((byte) => byte === 7));
  }
  assert.equal(bytes, 1_000_000);
  assert.ok(blocks < 40, String(blocks));
});
