import assert from 'node:assert/strict';
import { test } from 'node:test';
import { simulate } from '../simulator/simulate.ts';
import { EPOCH_MS, functionModel, serviceModel, trafficOf } from '../testing/traffic.ts';
import { Replayed } from './replayed.ts';

test('latencies of several functions together: the one slow invocation of a large one is one in all', () => {
  const spanMs = 1_000_000;
  const replayed = new Replayed('service', { fromMs: EPOCH_MS, toMs: EPOCH_MS + spanMs });
  const of = (count: number, durationMs: number): [number, number][] =>
    Array.from({ length: count }, (_, i) => [i * 100, durationMs]);
  // 992 of 10 ms and one of 900; 7 of 50: the 991st of 1,000 is of 10 ms, whichever function it is of.
  replayed.add(simulate(trafficOf([...of(992, 10), [999_000, 900]], spanMs), serviceModel(), 1));
  replayed.add(simulate(trafficOf(of(7, 50), spanMs), serviceModel(), 1));
  const { latency, executed } = replayed.result();
  assert.equal(executed, 1_000);
  for (const ms of [latency!.p50Ms, latency!.p95Ms, latency!.p99Ms])
    assert.ok(Math.abs(ms / 10 - 1) < 0.005, `${ms}`);
});

test('how long starts were waited for, and how many lived when', () => {
  const spanMs = 400 * 60_000;
  const replayed = new Replayed('function', { fromMs: EPOCH_MS, toMs: EPOCH_MS + spanMs });
  const model = functionModel({ keepAliveMs: 0 }, { coldStart: { quantilesMs: [80] } });
  replayed.add(
    simulate(
      trafficOf(
        [
          [0, 30_000],
          [100, 29_900],
          [120_000, 60_000],
        ],
        spanMs,
      ),
      model,
      1,
    ),
  );
  const { quantilesMs, livingOverTime, coldStarts } = replayed.result();
  assert.equal(coldStarts, 3);
  assert.equal(quantilesMs.coldStart.length, 101);
  for (const ms of [quantilesMs.coldStart[0]!, quantilesMs.coldStart[50]!, quantilesMs.coldStart[100]!])
    assert.ok(Math.abs(ms / 80 - 1) < 0.01, `${ms}`);
  const { fromMs, everyMs, living } = livingOverTime;
  assert.deepEqual([fromMs, everyMs, living.length], [EPOCH_MS, 120_000, 200]);
  assert.ok(Math.abs(living[0]! - 0.5) < 0.01, 'two for half a minute, of two');
  assert.ok(Math.abs(living[1]! - 0.5) < 0.01);
  assert.ok(living.slice(2).every((some) => some === 0));
});
