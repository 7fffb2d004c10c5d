import assert from 'node:assert/strict';
import { test } from 'node:test';
import { arrivals, minutes } from '../../testing/advice-request.ts';
import { longerThan, shapeOf } from './shape.ts';

test('one invocation after the other fills the time that both take', () => {
  const shape = shapeOf(arrivals([0, 2_000, 10_000], { spanMs: 20_000, durationMs: 1_000, cpuShare: 0.25 }));
  assert.equal(shape.busy, 0.15);
  assert.equal(shape.atWork, 0.15);
  assert.equal(shape.cpuShare, 0.25);
  assert.equal(shape.perSecond, 0.15);
});

test('two at a time are busy once and at work twice', () => {
  const shape = shapeOf(arrivals([0, 0, 500], { spanMs: 10_000, durationMs: 1_000 }));
  assert.equal(shape.busy, 0.15);
  assert.equal(shape.atWork, 0.3);
});

test('what goes on beyond the end is busy to the end', () => {
  assert.equal(shapeOf(arrivals([9_000], { spanMs: 10_000, durationMs: 60_000 })).busy, 0.1);
});

test('nothing that came is no division by nothing', () => {
  const shape = shapeOf(arrivals([], { spanMs: 60_000 }));
  assert.deepEqual(
    [shape.arrivals, shape.meanMs, shape.p99Ms, shape.busy, shape.dispersion, shape.cpuShare],
    [0, 0, 0, 0, 0, 0],
  );
});

test('a burst in one minute is told from the same number spread evenly', () => {
  const spanMs = 3_600_000;
  const even = shapeOf(
    arrivals(
      Array.from({ length: 60 }, (_, i) => i * 60_000),
      { spanMs },
    ),
  );
  const burst = shapeOf(
    arrivals(
      Array.from({ length: 60 }, (_, i) => i * 100),
      { spanMs },
    ),
  );
  assert.equal(even.dispersion, 0);
  assert.equal(burst.dispersion, 59);
  assert.equal(burst.peakPerMinute, 60);
});

test('minutes say the same as arrivals that are placed in them by chance', () => {
  const shape = shapeOf(minutes([60, 60, 0, 0], { quantilesMs: [500] }));
  assert.equal(shape.arrivals, 120);
  assert.equal(shape.meanMs, 500);
  assert.equal(shape.atWork, 0.25);
  assert.ok(Math.abs(shape.busy - (1 - Math.exp(-0.5)) / 2) < 1e-12);
});

test('how many took longer than a limit: exactly of arrivals, by the table of minutes', () => {
  assert.equal(longerThan(arrivals([0, 1, 2], { durationsMs: [10, 20, 30] }), 15), 2);
  assert.equal(longerThan(minutes([100], { quantilesMs: [0, 100] }), 75), 25);
  assert.equal(longerThan(minutes([100], { quantilesMs: [50] }), 49), 100);
  assert.equal(longerThan(minutes([100], { quantilesMs: [50] }), 50), 0);
});

test('so many times the traffic is at work so many times as much', () => {
  const once = arrivals([0, 2_000], { spanMs: 20_000, durationMs: 1_000 });
  const shape = shapeOf({ ...once, times: 10 });
  assert.equal(shape.arrivals, 20);
  assert.equal(shape.atWork, 1);
  assert.ok(shape.busy > 0.65 && shape.busy < 1);
  assert.deepEqual([shape.p50Ms, shape.longestMs], [1_000, 1_000]);
  assert.equal(longerThan({ ...once, times: 10 }, 500), 20);
});
