import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FulcrumError } from '../base/errors.ts';
import { accessLine, unpackAccessLine } from './access-line.ts';
import type { Access } from './access-line.ts';

const ACCESS: Access = {
  atMs: 1_700_000_000_000.4,
  component: 'shop',
  requestId: 'r_1',
  method: 'GET',
  path: '/a',
  status: 200,
  waitedMs: 0.1234,
  durationMs: 12.3456,
  cold: true,
  bytesOut: 13,
  instance: 'i_1',
  revision: 'abc',
  span: '00f067aa0ba902b7',
  error: null,
};

test('a line says what became of a request', () => {
  const line = accessLine(ACCESS);
  assert.equal(line.text, 'GET /a 200 12.3ms');
  assert.deepEqual(JSON.parse(JSON.stringify(line)), {
    atMs: 1_700_000_000_000,
    component: 'shop',
    stream: 'platform',
    level: 'info',
    text: 'GET /a 200 12.3ms',
    instance: 'i_1',
    revision: 'abc',
    requestId: 'r_1',
    fields: {
      method: 'GET',
      path: '/a',
      status: 200,
      waitedMs: 0.123,
      durationMs: 12.346,
      cold: true,
      bytesOut: 13,
      span: '00f067aa0ba902b7',
    },
  });
});

const CASES: [string, Partial<Access>][] = [
  ['a sound request', {}],
  ['an app of several', { app: 'shop@staging' }],
  ['no component, no instance', { component: '-', instance: null, revision: null, span: null, cold: false }],
  ['more bytes than 32 bits count', { bytesOut: 2 ** 40 }],
  ['a path too long for a log', { path: `/${'x'.repeat(5_000)}` }],
];
for (const [what, part] of CASES) {
  test(`packed and unpacked, a line is the same: ${what}`, () => {
    const line = accessLine({ ...ACCESS, ...part });
    const bytes = Buffer.alloc(line.packed!.lengthBytes + 3);
    line.packed!.write(bytes, 3);
    const again = unpackAccessLine(bytes.subarray(3));
    assert.deepEqual(JSON.parse(JSON.stringify(again)), JSON.parse(JSON.stringify(line)));
  });
}

test('what went wrong is kept in words', () => {
  const error = new FulcrumError('instance-crashed', 'It “ended”.');
  const line = accessLine({ ...ACCESS, status: 502, error });
  assert.equal(line.packed, undefined);
  assert.equal(line.text, 'GET /a 502 12.3ms instance-crashed: It “ended”.');
  assert.equal(line.level, 'error');
});
