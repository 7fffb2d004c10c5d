import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { formatTable, type Column } from './table.ts';

test('a table that fits is aligned and left as it is', () => {
  const columns: Column[] = [{ title: 'NAME' }, { title: 'N', align: 'right' }, { title: 'REST' }];
  assert.deepEqual(
    formatTable(
      columns,
      [
        ['a', '1', 'x'],
        ['long', '100', 'y'],
      ],
      40,
    ),
    ['NAME    N  REST', 'a       1  x', 'long  100  y'],
  );
});

test('columns that may go go first, in their order, then those are cut that may be', () => {
  const columns: Column[] = [
    { title: 'NAME', minWidth: 4 },
    { title: 'KEEP' },
    { title: 'FIRST', dropOrder: 2 },
    { title: 'THEN', dropOrder: 1 },
  ];
  const rows = [['a-long-name', '1', '2', '3']];
  assert.deepEqual(
    formatTable(columns, rows, 21),
    ['NAME       KEEP  THEN', 'a-long-n…  1     3'].map((line) => line),
  );
  assert.deepEqual(formatTable(columns, rows, 10), ['NAME  KEEP', 'a-l…  1']);
});

test('no line is wider than asked for, where the columns allow it', () => {
  const cell = fc.string({ unit: 'grapheme-ascii', maxLength: 30 });
  fc.assert(
    fc.property(
      fc.array(fc.tuple(cell, cell, cell), { maxLength: 5 }),
      fc.integer({ min: 12, max: 60 }),
      (rows, width) => {
        const columns: Column[] = [
          { title: 'A', minWidth: 4 },
          { title: 'B', minWidth: 4, align: 'right' },
          { title: 'C', dropOrder: 1 },
        ];
        for (const line of formatTable(columns, rows, width))
          assert.ok(line.length <= width, `${line.length}: ${line}`);
      },
    ),
  );
});
