import assert from 'node:assert/strict';
import { test } from 'node:test';
import { usageRecord } from '../../test/conformance/usage-record.ts';
import { RecentTraffic } from './recent-traffic.ts';
import { bucketOf } from './sketch.ts';

test('the last minute is told, and what ended before it is not', () => {
  const recent = new RecentTraffic();
  for (let second = 0; second < 600; second++) {
    recent.add(usageRecord({ billedMs: 2, cpuMs: 1, durationMs: 10 }), bucketOf(10), second * 1_000);
  }
  const now = recent.summary(599_999);
  assert.equal(now.count, 60);
  assert.deepEqual([now.billedMs, now.cpuMs, now.failed, now.cold], [120, 60, 0, 0]);
  assert.ok(Math.abs(now.p50Ms! - 10) <= 0.1 && Math.abs(now.p99Ms! - 10) <= 0.1);
  assert.equal(recent.summary(630_000).count, 25);
  recent.add(usageRecord({ durationMs: 500 }), bucketOf(500), 660_000);
  assert.ok(recent.summary(660_000).p50Ms! > 490, 'what was in the slot before is gone');
  assert.deepEqual(recent.summary(800_000), {
    count: 0,
    failed: 0,
    cold: 0,
    billedMs: 0,
    cpuMs: 0,
    p50Ms: null,
    p99Ms: null,
  });
});

test('a caller who went away is no failure, and a refused invocation has no duration', () => {
  const recent = new RecentTraffic();
  recent.add(usageRecord({ outcome: 'cancelled', durationMs: 7 }), bucketOf(7), 0);
  recent.add(usageRecord({ outcome: 'refused', durationMs: 0 }), bucketOf(0), 0);
  recent.add(usageRecord({ outcome: 'timeout', durationMs: 7, cold: true }), bucketOf(7), 0);
  const { count, failed, cold, p50Ms } = recent.summary(1);
  assert.deepEqual([count, failed, cold], [3, 2, 1]);
  assert.ok(p50Ms! > 6.9);
});
