/**
 * Cases with published results that the simulator is held against: by tests in short, by its benchmark in full.
 *
 * SimFaaS: Mahmoudi and Khazaei, "SimFaaS: a performance simulator for serverless computing platforms", CLOSER 2021
 * (https://arxiv.org/abs/2102.08904), its example and its experiments on AWS Lambda. There an invocation that finds no idle instance has the
 * one that is started for it; here the same comes of starts that take no time, with what they took left out of one invocation in 700.
 */
import { Random } from '../src/advisor/random.ts';
import { simulate } from '../src/advisor/simulator/simulate.ts';
import type { FunctionModel, ServiceModel, Traffic } from '../src/model/simulation.ts';

/** Arrivals of a Poisson process for `spanMs`, with durations distributed exponentially. */
export function poissonFor(spanMs: number, pauseMs: number, durationMs: number, seed: number): Traffic {
  const pauses = new Random(seed, 'pause');
  const durations = new Random(seed, 'duration');
  const most = Math.ceil((spanMs / pauseMs) * 1.2 + 6 * Math.sqrt(spanMs / pauseMs) + 100);
  const arrivedAtMs = new Float64Array(most);
  const taken = new Float32Array(most);
  let count = 0;
  for (let atMs = pauses.exponential(pauseMs); atMs < spanMs; atMs += pauses.exponential(pauseMs)) {
    arrivedAtMs[count] = atMs;
    taken[count++] = durations.exponential(durationMs);
  }
  return {
    component: 'case',
    arrivedAtMs: arrivedAtMs.subarray(0, count),
    durationMs: taken.subarray(0, count),
    cpuMs: new Float32Array(count),
    fromMs: 0,
    toMs: spanMs,
  };
}

/** A function whose instances start at once. */
export function functionCase(settings: Partial<FunctionModel['settings']>, provisioned = 0): FunctionModel {
  return {
    mode: 'function',
    settings: {
      concurrency: 1,
      memoryBytes: 128 * 1024 ** 2,
      timeoutMs: 1e12,
      maxQueued: 1e9,
      keepAliveMs: 600_000,
      keepAlive: 'fixed',
      fresh: false,
      maxInstances: 100_000,
      ...settings,
    },
    coldStart: { quantilesMs: [0] },
    provisioned,
  };
}

/** A service of so many replicas, each of which works on one invocation at a time. */
export function serviceCase(replicas: number): ServiceModel {
  return {
    mode: 'service',
    settings: {
      concurrency: 1,
      memoryBytes: 128 * 1024 ** 2,
      timeoutMs: 1e12,
      maxQueued: 1e9,
      minReplicas: replicas,
      maxReplicas: replicas,
      affinity: null,
      healthIntervalMs: 10_000,
      drainMs: 30_000,
    },
    start: { quantilesMs: [0] },
    cpus: 1,
  };
}

export interface PoolFigures {
  /** Of what was executed. */
  readonly coldShare: number;
  readonly instances: number;
  readonly busy: number;
}

/** What a function has on average under Poisson arrivals, after `skipMs` in which it comes to its steady state. */
export function poolFigures(options: {
  readonly spanMs: number;
  readonly perSecond: number;
  readonly durationMs: number;
  readonly keepAliveMs: number;
  readonly seed: number;
}): PoolFigures {
  const { spanMs, perSecond, durationMs, keepAliveMs, seed } = options;
  const traffic = poissonFor(spanMs, 1_000 / perSecond, durationMs, seed);
  const { used, coldStarts, minutes } = simulate(traffic, functionCase({ keepAliveMs }), seed);
  const busy = minutes.reduce((sum, minute) => sum + minute.busy, 0) * 60_000;
  return {
    coldShare: coldStarts / used.executed,
    instances: used.instances.livedMs / spanMs,
    busy: busy / spanMs,
  };
}

/** Of Erlang B: the share that is turned away by `servers` that are offered `load` (Erlangs) and let nobody wait. */
export function erlangB(servers: number, load: number): number {
  let blocked = 1;
  for (let n = 1; n <= servers; n++) blocked = (load * blocked) / (n + load * blocked);
  return blocked;
}

/** Of Erlang C: the share that has to wait where everybody may. */
export function erlangC(servers: number, load: number): number {
  const blocked = erlangB(servers, load);
  return (servers * blocked) / (servers - load * (1 - blocked));
}

/** The share that a function of so many instances turns away where nobody may wait. */
export function refusedShare(servers: number, load: number, count: number, seed: number): number {
  const traffic = poissonFor(count * 100, 100, 100 * load, seed);
  const model = functionCase({ maxInstances: servers, maxQueued: 0, keepAliveMs: 1e12 }, servers);
  const { refused } = simulate(traffic, model, seed);
  return refused / traffic.arrivedAtMs.length;
}

/** The share of invocations that waits for one of a service's replicas, each of which works on one at a time. */
export function waitingShare(servers: number, load: number, count: number, seed: number): number {
  const traffic = poissonFor(count * 100, 100, 100 * load, seed);
  const { waited, used } = simulate(traffic, serviceCase(servers), seed);
  return waited / used.executed;
}

/** What Erlang's formulas say, and shares found in ten runs with seeds of their own. */
export interface ErlangCheck {
  readonly name: string;
  readonly expected: number;
  readonly found: readonly number[];
}

/** @param count invocations in each run. */
export function erlangChecks(count: number): ErlangCheck[] {
  const seeds = Array.from({ length: 10 }, (_, i) => i + 1);
  return [
    {
      name: 'C(2, 1): waits',
      expected: erlangC(2, 1),
      found: seeds.map((seed) => waitingShare(2, 1, count, seed)),
    },
    {
      name: 'C(3, 2): waits',
      expected: erlangC(3, 2),
      found: seeds.map((seed) => waitingShare(3, 2, count, seed)),
    },
    {
      name: 'B(3, 2): is turned away',
      expected: erlangB(3, 2),
      found: seeds.map((seed) => refusedShare(3, 2, count, seed)),
    },
  ];
}

/** Of Student's distribution with nine degrees of freedom: 95 % lie within so many standard errors. */
const STUDENT_9 = 2.262;

/** Half the width of the 95 % interval of the mean of ten runs. */
export function halfInterval95(found: readonly number[]): number {
  const mean = meanOf(found);
  const variance = found.reduce((sum, value) => sum + (value - mean) ** 2, 0) / (found.length - 1);
  return STUDENT_9 * Math.sqrt(variance / found.length);
}

export function meanOf(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}
