import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { FunctionModel, Traffic } from '../../model/simulation.ts';
import { functionModel, serviceModel, trafficOf } from '../testing/traffic.ts';
import { simulate } from './simulate.ts';

const traffic = trafficOf(
  [
    [10, 5],
    [20, 5],
  ],
  1_000,
);

test('traffic that cannot be replayed is told by its first wrong row', () => {
  const told = (change: Partial<Traffic>, text: RegExp): void =>
    assert.throws(() => simulate({ ...traffic, ...change }, functionModel(), 1), text);
  told({ toMs: traffic.fromMs }, /"orders" cannot be replayed: it must end after it begins/);
  told({ cpuMs: new Float32Array(1) }, /as many durations and CPU times as arrivals, .* has 2, 2 and 1/);
  told({ arrivedAtMs: traffic.arrivedAtMs.toReversed() }, /arrival 1 must lie between the one before/);
  told({ arrivedAtMs: Float64Array.of(traffic.fromMs, NaN) }, /arrival 1 .* and is NaN/);
  told({ arrivedAtMs: Float64Array.of(traffic.fromMs, traffic.toMs + 1) }, /arrival 1 must lie/);
  told({ durationMs: Float32Array.of(1, -1) }, /duration 1 must be 0 ms or more, and is -1/);
  told({ cpuMs: Float32Array.of(Infinity, 0) }, /CPU time 0 must be 0 ms or more, and is Infinity/);
});

test('a model that cannot be simulated is told by what is wrong with it', () => {
  const told = (model: Parameters<typeof simulate>[1], text: RegExp): void =>
    assert.throws(() => simulate(traffic, model, 1), text);
  told(functionModel({ concurrency: 0 }), /concurrency must be a whole number from 1, and is 0/);
  told(functionModel({}, { provisioned: -1 }), /provisioned must be a whole number from 0, and is -1/);
  const backwards: Partial<FunctionModel> = { coldStart: { quantilesMs: [2, 1] } };
  told(functionModel({}, backwards), /quantile 1 of coldStart must be 2 ms or more, and is 1/);
  told(functionModel({}, { coldStart: { quantilesMs: [] } }), /coldStart must have one quantile at least/);
  told(serviceModel({ minReplicas: 0 }), /minReplicas must be a whole number from 1, and is 0/);
  told(
    serviceModel({ minReplicas: 3, maxReplicas: 2 }),
    /maxReplicas must be a whole number from 3, and is 2/,
  );
  told(serviceModel({}, { cpus: 0 }), /cpus must be above 0, and is 0/);
});

test('no traffic at all is no error', () => {
  const nothing = trafficOf([], 120_000);
  const { used, latencyQuantilesMs } = simulate(nothing, functionModel({}, { provisioned: 2 }), 1);
  assert.deepEqual([used.executed, used.instances.livedMs, latencyQuantilesMs.length], [0, 240_000, 0]);
});
