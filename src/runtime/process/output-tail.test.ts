import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { OutputTail } from './output-tail.ts';

test('the tail is a suffix of the lines and never longer than it may be', () => {
  fc.assert(
    fc.property(
      fc.array(fc.string({ unit: 'grapheme', maxLength: 40 })),
      fc.integer({ min: 8, max: 100 }),
      (lines, maxBytes) => {
        const tail = new OutputTail(maxBytes);
        for (const line of lines) tail.push(line);
        const text = tail.toString();
        assert.ok(Buffer.byteLength(text) <= maxBytes);
        assert.ok(lines.join('\n').endsWith(text));
      },
    ),
  );
});
