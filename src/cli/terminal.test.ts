import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { printable, printableLine, truncate } from './terminal.ts';

const E = '\u001B';

const TABLE: [string, string, string][] = [
  ['plain text', 'tab\tand\nline', 'tab\tand\nline'],
  ['a colour, which is ended', `${E}[1;31mred`, `${E}[1;31mred${E}[0m`],
  ['clearing the screen', `a${E}[2Jb`, 'ab'],
  ['moving the cursor', `a${E}[10;10Hb${E}[?25l`, 'ab'],
  ['a title', `${E}]0;title\u0007b`, 'b'],
  ['the clipboard', `${E}]52;c;aGk=${E}\\b`, 'b'],
  ['a link', `${E}]8;;http://evil.example${E}\\text${E}]8;;${E}\\`, 'text'],
  ['a device control string', `${E}Pq#0;2${E}\\b`, 'b'],
  ['a reset', `${E}cb`, 'b'],
  ['an escape that is cut off', `a${E}`, 'a'],
  ['a carriage return that would hide the line', 'error\rfine', 'errorfine'],
  ['Windows line ends', 'a\r\nb', 'a\nb'],
  ['backspaces', 'a\u0008b', 'ab'],
  ['C1 controls', 'a\u009B2Jb', 'a2Jb'],
  ['text that runs backwards', 'a\u202Eb', 'ab'],
  ['letters of all kinds', 'größe 尺寸 😀', 'größe 尺寸 😀'],
];
for (const [what, text, expected] of TABLE) {
  test(`printable: ${what}`, () => assert.equal(printable(text), expected));
}

test('whatever comes, no control but colours, tabs and line breaks is left', () => {
  const piece = fc.constantFrom(
    E,
    '[',
    ']',
    '2',
    ';',
    'm',
    'J',
    '\u0007',
    '\\',
    '\n',
    '\r',
    'x',
    '\u009B',
    'P',
    '\u0000',
  );
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 30 }), (pieces) => {
      const rest = printable(pieces.join('')).replaceAll(new RegExp(`${E}\\[[0-9;]*m`, 'g'), '');
      for (const letter of rest) {
        const point = letter.codePointAt(0)!;
        assert.ok(point >= 32 || letter === '\n' || letter === '\t', JSON.stringify(rest));
        assert.ok(point < 0x7f || point > 0x9f, JSON.stringify(rest));
      }
    }),
    { numRuns: 2_000 },
  );
});

test('one line stays one line', () => {
  assert.equal(printableLine(`a \n b\tc ${E}[31mred`), 'a b c red');
  assert.equal(truncate('abcdef', 4), 'abc…');
  assert.equal(truncate('abcd', 4), 'abcd');
  assert.equal(truncate('abcd', 0), '');
});
