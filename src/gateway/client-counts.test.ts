import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ClientCounts } from './client-counts.ts';

test('an address may enter as often as it may, and again when it has left', () => {
  const counts = new ClientCounts(2);
  counts.enter('192.0.2.1');
  counts.enter('::ffff:192.0.2.1');
  assert.equal(counts.mayEnter('192.0.2.1'), false);
  assert.equal(counts.mayEnter('192.0.2.2'), true);
  counts.leave('192.0.2.1');
  assert.equal(counts.mayEnter('192.0.2.1'), true);
});

test('of IPv6 one /64 is one client, however its addresses are written', () => {
  const counts = new ClientCounts(1);
  counts.enter('2001:db8:0:1::1');
  for (const same of ['2001:db8:0:1::2', '2001:db8:0:1:ffff:ffff:ffff:ffff', '2001:db8::1:0:0:0:5']) {
    assert.equal(counts.mayEnter(same), false, same);
  }
  for (const other of ['2001:db8:0:2::1', '2001:db8::1', '::1'])
    assert.equal(counts.mayEnter(other), true, other);
  counts.leave('2001:db8:0:1::9');
  assert.equal(counts.mayEnter('2001:db8:0:1::1'), true);
});
