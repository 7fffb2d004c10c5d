import assert from 'node:assert/strict';
import { test } from 'node:test';
import { cgroupNameOf, isAbandoned } from './cgroup-names.ts';

const living = (pid: number): string | null => (pid === 7 ? '123' : null);

test('groups are abandoned whose server has ended, though another process may have its id now', () => {
  assert.equal(
    isAbandoned(cgroupNameOf({ pid: 7, startedAt: '123' }, 1, 'my-shop@test', 'cart'), living),
    false,
  );
  assert.equal(isAbandoned(cgroupNameOf({ pid: 7, startedAt: '122' }, 1, 'my-shop', 'cart'), living), true);
  assert.equal(isAbandoned(cgroupNameOf({ pid: 8, startedAt: '123' }, 22, 'a', 'b'), living), true);
});

test('groups that are nobody of ours are left alone', () => {
  for (const name of [
    'fulcrum-server',
    'fulcrum-8-123',
    'fulcrum-8-a',
    'system.slice',
    'x-fulcrum-8-1-a',
    '',
  ]) {
    assert.equal(isAbandoned(name, living), false, name);
  }
});
