import assert from 'node:assert/strict';
import { test } from 'node:test';
import { asyncWish, withoutPreference } from './async-wish.ts';

const PREFER = ['Prefer', 'respond-async'];

const KEPT: readonly [
  method: string,
  query: string,
  fields: readonly string[],
  left: string,
  preferred: boolean,
][] = [
  ['POST', '?async', [], '', false],
  ['POST', '?async=', [], '', false],
  ['POST', '?async=true&a=1', [], '?a=1', false],
  ['GET', '?async=true', [], '', false],
  ['GET', '?async', [], '', false],
  ['DELETE', '?a=1&async&b=2', [], '?a=1&b=2', false],
  ['POST', '?async&a=%20&&x', [], '?a=%20&&x', false],
  ['POST', '?async&async', [], '', false],
  ['POST', '', PREFER, '', true],
  ['POST', '?a=1', ['prefer', 'Respond-Async; x=1, wait=10'], '?a=1', true],
  ['POST', '', ['prefer', 'wait=10', 'PREFER', 'return=minimal,respond-async'], '', true],
  ['POST', '?async', PREFER, '', true],
];

test('what is asked for later', () => {
  for (const [method, query, fields, left, preferred] of KEPT)
    assert.deepEqual(
      asyncWish(method, query, fields),
      { kind: 'keep', query: left, preferred },
      `${method} ${query}`,
    );
});

test('what is asked for an answer', () => {
  assert.deepEqual(asyncWish('GET', '?async=a_1', []), { kind: 'look', id: 'a_1' });
  assert.deepEqual(asyncWish('HEAD', '?x&async=a_1&async', PREFER), { kind: 'look', id: 'a_1' });
});

test('what is asked as ever', () => {
  for (const [method, query, fields] of [
    ['GET', '', []],
    ['GET', '?', []],
    ['POST', '?async=a_1', PREFER],
    ['GET', '?asynchronous', []],
    ['GET', '?Async', []],
    ['GET', '?a=async', []],
    ['GET', '?%61sync', []],
    ['OPTIONS', '?async', PREFER],
    ['POST', '', ['Prefer', 'wait=10']],
    ['POST', '', ['Prefer', 'respond-asynchronously']],
    ['POST', '', ['Prefer', 'note="a, respond-async"']],
    ['POST', '', ['X-Prefer', 'respond-async']],
  ] as const)
    assert.equal(asyncWish(method, query, fields), null, `${method} ${query} ${fields.join(' ')}`);
});

test('the preference that was applied is not passed on, others are', () => {
  assert.deepEqual(withoutPreference(['A', '1', 'Prefer', 'respond-async', 'B', '2']), ['A', '1', 'B', '2']);
  assert.deepEqual(withoutPreference(['prefer', 'wait=10, respond-async;x, note="a, b"']), [
    'prefer',
    'wait=10, note="a, b"',
  ]);
  assert.deepEqual(withoutPreference(['prefer', ' a="b\\", c" ']), ['prefer', 'a="b\\", c"']);
});
