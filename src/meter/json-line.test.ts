import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { lineOf } from './json-line.ts';

const TEXT = `{
  "a": { "b": [1,
    { "c": "}],\\"" },
    3 ] },
  "d": 4,

  "e": "x"
}`;

test('tells the line of a value, and of what is missing that of its surroundings', () => {
  assert.equal(lineOf(TEXT, []), 1);
  assert.equal(lineOf(TEXT, ['a', 'b', 0]), 2);
  assert.equal(lineOf(TEXT, ['a', 'b', 1, 'c']), 3);
  assert.equal(lineOf(TEXT, ['a', 'b', 2]), 4);
  assert.equal(lineOf(TEXT, ['d']), 5);
  assert.equal(lineOf(TEXT, ['e']), 7);
  assert.equal(lineOf(TEXT, ['a', 'b', 7, 'price']), 2);
  assert.equal(lineOf(TEXT, ['none']), 1);
  assert.equal(lineOf('{"a": 1,\n"a": 2}', ['a']), 2);
});

test('finds every value of any JSON', () => {
  fc.assert(
    fc.property(fc.json({ maxDepth: 4 }), (json) => {
      const text = JSON.stringify(JSON.parse(json), null, 2);
      const lines = text.split('\n');
      const look = (value: unknown, path: PropertyKey[]): void => {
        const line = lines[lineOf(text, path) - 1]!;
        const key = path.at(-1);
        if (typeof key === 'string') assert.ok(line.trimStart().startsWith(`${JSON.stringify(key)}: `), line);
        if (typeof value === 'object' && value !== null)
          for (const name of Object.keys(value))
            look((value as Record<string, unknown>)[name], [
              ...path,
              Array.isArray(value) ? Number(name) : name,
            ]);
        else assert.ok(line.includes(JSON.stringify(value)), line);
      };
      look(JSON.parse(text), []);
    }),
    { seed: 9, numRuns: 300 },
  );
});
