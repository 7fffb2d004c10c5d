import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FakeClock } from '../base/fake-clock.ts';
import { addressKey, FailureLimit } from './failure-limit.ts';

test('ten failures are free, then one every six seconds; nobody else is slowed down', async () => {
  const clock = new FakeClock();
  const limit = new FailureLimit(clock);
  for (let i = 0; i < 10; i++) {
    assert.equal(limit.waitMs('a'), 0, `failure ${i}`);
    limit.failed('a');
  }
  assert.equal(limit.waitMs('a'), 6_000);
  assert.equal(limit.waitMs('b'), 0);
  await clock.advance(6_000);
  assert.equal(limit.waitMs('a'), 0);
  limit.failed('a');
  assert.equal(limit.waitMs('a'), 6_000);
  for (let i = 0; i < 100; i++) limit.failed('a');
  assert.equal(limit.waitMs('a'), 6_000, 'a flood does not shut out for longer');
  await clock.advance(60_000);
  for (let i = 0; i < 10; i++) {
    assert.equal(limit.waitMs('a'), 0);
    limit.failed('a');
  }
});

test('the table is bounded: whoever failed longest ago is forgotten', () => {
  const limit = new FailureLimit(new FakeClock());
  for (let i = 0; i < 10; i++) limit.failed('first');
  for (let i = 0; i < 9_999; i++) limit.failed(`a${i}`);
  assert.ok(limit.waitMs('first') > 0);
  for (let i = 0; i < 5_000; i++) limit.failed(`b${i}`);
  assert.equal(limit.waitMs('first'), 0);
  assert.equal(limit.size, 10_000);
});

const ADDRESSES: [string, string][] = [
  ['192.0.2.7', '192.0.2.7'],
  ['::ffff:192.0.2.7', '192.0.2.7'],
  ['2001:db8:1:2:3:4:5:6', '2001:db8:1:2::/64'],
  ['2001:0DB8:0001:2::9', '2001:db8:1:2::/64'],
  ['2001:db8::1', '2001:db8:0:0::/64'],
  ['::1', '0:0:0:0::/64'],
  ['fe80::1%eth0', 'fe80:0:0:0::/64'],
  ['', ''],
];
for (const [address, key] of ADDRESSES) {
  test(`${address} counts as ${key}`, () => assert.equal(addressKey(address), key));
}
