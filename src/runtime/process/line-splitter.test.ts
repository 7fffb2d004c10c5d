import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { LineSplitter } from './line-splitter.ts';

function split(chunks: readonly Uint8Array[], maxBytes: number): string[] {
  const lines: string[] = [];
  const splitter = new LineSplitter(maxBytes, (line) => lines.push(line));
  for (const chunk of chunks) splitter.push(chunk);
  splitter.end();
  return lines;
}

test('wherever the bytes are cut, the lines are the same', () => {
  fc.assert(
    fc.property(
      fc.array(fc.string({ unit: 'grapheme' }).filter((text) => !/[\r\n]/.test(text))),
      fc.array(fc.nat()),
      (lines, cuts) => {
        const whole = Buffer.from(lines.map((line) => `${line}\n`).join(''));
        const places = [
          0,
          ...cuts.map((cut) => cut % (whole.length + 1)).sort((a, b) => a - b),
          whole.length,
        ];
        const chunks = places.slice(1).map((place, i) => whole.subarray(places[i], place));
        assert.deepEqual(split(chunks, 1_000_000), lines);
      },
    ),
  );
});

test('a long line is cut, whether it comes at once or in pieces, and the next is whole', () => {
  const bytes = Buffer.from('abcdefgh\nxy\r\n');
  const expected = ['abcd … (4 bytes cut)', 'xy'];
  assert.deepEqual(split([bytes], 4), expected);
  assert.deepEqual(
    split(
      [...bytes].map((byte) => Uint8Array.of(byte)),
      4,
    ),
    expected,
  );
});
