import assert from 'node:assert/strict';
import { test } from 'node:test';

import { codeFrame } from './code-frame.ts';

void test('a frame shows two lines on each side and a caret under the column', () => {
  const source = ['one', 'two', 'three', '\tfour = ;', 'five', 'six', 'seven'].join('\n');
  assert.equal(
    codeFrame(source, 4, 9),
    ['  2 | two', '  3 | three', '> 4 |  four = ;', '    |         ^', '  5 | five', '  6 | six'].join('\n'),
  );
});

void test('a frame at the edges, with line numbers of different widths, and with Windows line ends', () => {
  const source = Array.from({ length: 10 }, (_, i) => `line ${i + 1}`).join('\r\n');
  assert.equal(codeFrame(source, 1, 1).split('\n')[1], '    | ^');
  assert.deepEqual(codeFrame(source, 9, 1).split('\n')[0], '   7 | line 7');
  assert.equal(codeFrame(source, 10, 7).split('\n').at(-1), '     |       ^');
});

void test('a long line is cut around the column', () => {
  const source = `${'x'.repeat(100_000)}!${'y'.repeat(100_000)}`;
  const [line, caret] = codeFrame(source, 1, 100_001).split('\n');
  assert.ok(line!.length < 200);
  assert.equal(line![caret!.indexOf('^')], '!');
});

void test('a line that does not exist gives no frame', () => {
  assert.equal(codeFrame('one', 2, 1), '');
  assert.equal(codeFrame('one', 0, 1), '');
});
