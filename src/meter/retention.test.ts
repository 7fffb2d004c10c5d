import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FakeClock } from '../base/fake-clock.ts';
import { silentLogger } from '../base/log.ts';
import type { UsageLimits, UsageStore } from '../model/usage-store.ts';
import { DEFAULT_RETENTION, RetentionRounds } from './retention.ts';

const HOUR_MS = 3_600_000;

test('a round comes when it is due, with limits by the wall clock', async () => {
  const { rounds, clock, pruned } = setUp();
  await clock.advance(HOUR_MS - 1);
  await rounds.step();
  assert.equal(pruned.length, 0);
  await clock.advance(1);
  await rounds.step();
  await rounds.step();
  assert.equal(pruned.length, 1);
  assert.equal(pruned[0]!.app, 'shop');
  assert.equal(pruned[0]!.minutesBeforeMs, clock.nowMs() - DEFAULT_RETENTION.minutesMs);
});

test('a wall clock that jumps for a moment deletes nothing; one that stays is believed', async () => {
  const { rounds, clock, pruned } = setUp();
  const yearMs = 365 * 24 * HOUR_MS;
  clock.setWallMs(clock.nowMs() + yearMs);
  await clock.advance(HOUR_MS);
  await rounds.step();
  clock.setWallMs(clock.nowMs() - yearMs);
  await clock.advance(HOUR_MS);
  await rounds.step();
  assert.equal(pruned.length, 0);
  await clock.advance(HOUR_MS);
  await rounds.step();
  assert.equal(pruned.length, 1);
});

test('a store that fails is asked again in the next round', async () => {
  const { rounds, clock, pruned } = setUp(1);
  await clock.advance(HOUR_MS);
  await rounds.step();
  await clock.advance(HOUR_MS);
  await rounds.step();
  assert.equal(pruned.length, 2);
});

function setUp(failures = 0): { rounds: RetentionRounds; clock: FakeClock; pruned: UsageLimits[] } {
  const clock = new FakeClock();
  const pruned: UsageLimits[] = [];
  const store = {
    prune: async (limits: UsageLimits) => {
      pruned.push(limits);
      if (pruned.length <= failures) throw new Error('disk full');
    },
  } as unknown as UsageStore;
  return {
    rounds: new RetentionRounds('shop', DEFAULT_RETENTION, store, clock, silentLogger),
    clock,
    pruned,
  };
}
