import assert from 'node:assert/strict';
import { test } from 'node:test';
import { simulate } from '../simulator/simulate.ts';
import { EPOCH_MS, serviceModel, trafficOf } from '../testing/traffic.ts';
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
