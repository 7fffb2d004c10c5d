import assert from 'node:assert/strict';
import { test } from 'node:test';
import { MAX_FUNCTIONS } from './limits.ts';
import { readReady } from './read-ready.ts';

const MEMBERS = ['cart', 'stock'];
const bytes = (ready: unknown): Buffer => Buffer.from(JSON.stringify(ready));
const list = (more: object = {}): object => ({
  fetch: true,
  functions: ['a', 'b'],
  idempotent: ['b'],
  ...more,
});

test('an instance tells what its component, or each of its members, can be asked to do', () => {
  const expected = {
    ...{ fetch: true, scheduled: false, queue: false, websocket: false },
    ...{ functions: ['a', 'b'], idempotent: ['b'] },
  };
  assert.deepEqual(readReady(bytes({ handlers: list(), inspectUrl: null })), {
    handlers: expected,
    inspectUrl: null,
  });
  const { members } = readReady(
    bytes({ handlers: list(), members: { stock: list(), cart: list() } }),
    MEMBERS,
  );
  assert.deepEqual(members, { cart: expected, stock: expected });
});

test('an older one knows of no idempotent functions, nor of members', () => {
  const ready = readReady(bytes({ handlers: { functions: ['a'] } }));
  assert.deepEqual([ready.handlers.idempotent, ready.members], [[], undefined]);
});

test('what cannot be breaks the protocol', () => {
  const many = Array.from({ length: MAX_FUNCTIONS + 1 }, (_, i) => `f${i}`);
  const both = (stock: object): object => ({ handlers: list(), members: { cart: list(), stock } });
  const cases: [RegExp, unknown, readonly string[] | null][] = [
    [/without a list/, {}, null],
    [/without a list/, { handlers: list({ functions: [1] }) }, null],
    [/without a list/, { handlers: list({ functions: many }) }, null],
    [/without a list/, { handlers: list({ idempotent: 'b' }) }, null],
    [/idempotent function that is none/, { handlers: list({ idempotent: ['c'] }) }, null],
    [/without the member stock/, { handlers: list(), members: { cart: list() } }, MEMBERS],
    [/without the member cart/, { handlers: list() }, MEMBERS],
    [/member that it does not hold/, { handlers: list(), members: { cart: list(), other: list() } }, MEMBERS],
    [/without a list/, both(list({ functions: many })), MEMBERS],
    [/idempotent function that is none/, both(list({ idempotent: ['toString'] })), MEMBERS],
  ];
  for (const [message, ready, members] of cases)
    assert.throws(() => readReady(bytes(ready), members), { code: 'wire-protocol', message });
});
