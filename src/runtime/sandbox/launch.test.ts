import assert from 'node:assert/strict';
import { test } from 'node:test';
import { unwrap, wrap } from './launch.ts';

test('what is wrapped up for the launcher comes out whole, in pieces that the kernel takes', () => {
  for (const text of ['', 'short', 'ä'.repeat(200_000)]) {
    const variables = wrap(text);
    assert.equal(unwrap({ ...variables, OTHER: 'x' }), text);
    for (const value of Object.values(variables)) assert.ok(Buffer.byteLength(value) < 128 * 1024);
  }
});
