import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import type { Traffic } from '../../model/simulation.ts';
import type { Used } from '../../model/used.ts';
import { EPOCH_MS } from '../testing/traffic.ts';
import { sharedStretches, uncontended } from './uncontended.ts';

const SPAN_MS = 10_000;
const ALL = { fromMs: EPOCH_MS, toMs: EPOCH_MS + SPAN_MS, cpus: 1 };

interface Job {
  readonly atMs: number;
  readonly cpuMs: number;
  readonly restMs: number;
}

const job: fc.Arbitrary<Job> = fc.record({
  atMs: fc.integer({ min: 0, max: 200 }),
  cpuMs: fc.integer({ min: 0, max: 40 }),
  restMs: fc.integer({ min: 0, max: 100 }),
});

/** How long each takes where those that compute share `cpus`, found out in small steps. */
function measured(jobs: readonly Job[], cpus: number): number[] {
  const left = jobs.map(({ cpuMs }) => cpuMs);
  const computedAtMs = jobs.map(({ atMs, cpuMs }) => (cpuMs === 0 ? atMs : Infinity));
  let nowMs = 0;
  while (computedAtMs.includes(Infinity)) {
    const computing = jobs
      .keys()
      .filter((i) => jobs[i]!.atMs <= nowMs && left[i]! > 0)
      .toArray();
    const arrivals = jobs.map(({ atMs }) => atMs).filter((atMs) => atMs > nowMs);
    const speed = Math.min(1, cpus / Math.max(1, computing.length));
    const ends = computing.map((i) => nowMs + left[i]! / speed);
    const nextMs = Math.min(...arrivals, ...ends);
    for (const [n, i] of computing.entries()) {
      left[i] = ends[n]! <= nextMs ? 0 : left[i]! - (nextMs - nowMs) * speed;
      if (left[i] === 0) computedAtMs[i] = nextMs;
    }
    nowMs = nextMs;
  }
  return jobs.map(({ atMs, restMs }, i) => computedAtMs[i]! - atMs + restMs);
}

function trafficOf(jobs: readonly Job[], durationsMs: readonly number[]): Traffic {
  return {
    component: 'orders',
    fromMs: EPOCH_MS,
    toMs: EPOCH_MS + SPAN_MS,
    arrivedAtMs: Float64Array.from(jobs, ({ atMs }) => EPOCH_MS + atMs),
    durationMs: Float32Array.from(durationsMs),
    cpuMs: Float32Array.from(jobs, ({ cpuMs }) => cpuMs),
  };
}

describe('durations without what others computed meanwhile', () => {
  test('two that shared a processor', () => {
    // From 0 alone, from 50 both, each with half of it, until the first is done at 150, and so is the second then at 200.
    const jobs = [
      { atMs: 0, cpuMs: 100, restMs: 0 },
      { atMs: 50, cpuMs: 100, restMs: 10 },
    ];
    const traffic = trafficOf(jobs, [150, 160]);
    assert.deepEqual([...uncontended(traffic, [ALL]).durationMs], [100, 110]);
    assert.deepEqual([...traffic.durationMs], [150, 160], 'what was measured is left alone');
  });

  test('are what they were before they shared, on any number of processors', () => {
    fc.assert(
      fc.property(fc.array(job, { maxLength: 30 }), fc.constantFrom(1, 1.5, 2, 4), (some, cpus) => {
        const jobs = some.toSorted((a, b) => a.atMs - b.atMs);
        const alone = uncontended(trafficOf(jobs, measured(jobs, cpus)), [{ ...ALL, cpus }]);
        for (const [i, { cpuMs, restMs }] of jobs.entries())
          assert.ok(Math.abs(alone.durationMs[i]! - (cpuMs + restMs)) < 0.01, `${alone.durationMs[i]}`);
      }),
      { seed: 5, numRuns: 300 },
    );
  });

  test('what was shorter than the sharing alone would make it keeps what it computed', () => {
    const jobs = [0, 1, 2].map((atMs) => ({ atMs, cpuMs: 10, restMs: 0 }));
    assert.deepEqual([...uncontended(trafficOf(jobs, [12, 12, 12]), [ALL]).durationMs], [10, 10, 10]);
  });

  test('outside of its stretches as a service nothing is taken out', () => {
    const jobs = [0, 0, 100, 100].map((atMs) => ({ atMs, cpuMs: 10, restMs: 0 }));
    const stretch = { ...ALL, fromMs: EPOCH_MS + 100 };
    assert.deepEqual(
      [...uncontended(trafficOf(jobs, [20, 20, 20, 20]), [stretch]).durationMs],
      [20, 20, 10, 10],
    );
    const traffic = trafficOf(jobs, [20, 20, 20, 20]);
    assert.equal(uncontended(traffic, []), traffic);
  });
});

test('stretches as a service, by the replicas that there were; none where it was a function meanwhile', () => {
  const day = (mode: Used['mode'], fromMs: number, toMs: number, livedMs: number): Used =>
    ({ mode, fromMs, toMs, instances: { livedMs } }) as Used;
  assert.deepEqual(
    sharedStretches([
      day('service', 0, 100, 300),
      day('function', 100, 200, 5),
      day('service', 200, 300, 10),
      day('service', 400, 500, 100),
      day('function', 490, 600, 100),
    ]),
    [
      { fromMs: 0, toMs: 100, cpus: 3 },
      { fromMs: 200, toMs: 300, cpus: 1 },
    ],
  );
});
