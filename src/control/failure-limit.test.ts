import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FakeClock } from '../base/fake-clock.ts';
import { FailureLimit } from './failure-limit.ts';

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
