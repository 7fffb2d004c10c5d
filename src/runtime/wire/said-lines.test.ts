import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { MessageSaid } from '../../model/invocation.ts';
import { SaidLines, writeSaid } from './said-lines.ts';

const SAID: readonly MessageSaid[] = [
  { id: 'e_1', as: 'acked', afterMs: null },
  { id: 'é "2"\n', as: 'retried', afterMs: 0 },
  { id: '3'.repeat(1_024), as: 'retried', afterMs: null },
];

test('lines are read however the bytes are cut', () => {
  const bytes = Buffer.from(SAID.map(writeSaid).join(''));
  for (const size of [1, 2, 7, 100, bytes.length]) {
    const read: MessageSaid[] = [];
    const lines = new SaidLines((said) => read.push(said));
    for (let from = 0; from < bytes.length; from += size) {
      const chunk = Buffer.from(bytes.subarray(from, from + size));
      lines.push(chunk);
      chunk.fill(0);
    }
    lines.end();
    assert.deepEqual(read, SAID, `${size} bytes at a time`);
  }
});

test('a line cut short, or one without an end, is none', () => {
  const lines = new SaidLines(() => undefined);
  lines.push(Buffer.from('{"id":'));
  assert.throws(() => lines.end(), { code: 'wire-protocol' });
  const endless = new SaidLines(() => undefined);
  assert.throws(
    () => {
      for (let i = 0; i < 100; i++) endless.push(Buffer.alloc(1_000, 'x'));
    },
    { code: 'wire-protocol', message: /too long a line/ },
  );
});

test('a line that says nothing of a message breaks the protocol', () => {
  for (const line of [
    'no JSON',
    'null',
    '[]',
    '{"id":"e_0","as":"dropped","afterMs":null}',
    '{"id":"e_0","as":"retried","afterMs":-1}',
    '{"id":"e_0","as":"retried","afterMs":"1s"}',
    '{"id":"e_0","as":"retried"}',
    '{"id":"","as":"acked","afterMs":null}',
    `{"id":"${'e'.repeat(2_000)}","as":"acked","afterMs":null}`,
  ]) {
    const lines = new SaidLines(() => assert.fail(`it was told of ${line}`));
    assert.throws(() => lines.push(Buffer.from(`${line}\n`)), { code: 'wire-protocol' });
  }
});
