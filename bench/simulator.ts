import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { simulateFluid } from '../src/advisor/simulator/simulate-minutes.ts';
import { simulate } from '../src/advisor/simulator/simulate.ts';
import type { FunctionModel, ServiceModel, Traffic } from '../src/model/simulation.ts';
import { rowOf, type Benchmark, type Row, type Target } from './benchmark.ts';
import { azureRows } from './simulator-azure.ts';
import {
  erlangChecks,
  functionCase,
  halfInterval95,
  meanOf,
  poissonFor,
  poolFigures,
  serviceCase,
} from './simulator-cases.ts';
import { liveRows } from './simulator-live.ts';
import { median } from './statistics.ts';

const FOLDER = process.env['FULCRUM_TRACES'];
/** SimFaaS replays some 21,000. */
const LEAST_PER_SECOND = 5_000_000;

export const simulator: Benchmark = {
  name: 'simulator',
  about:
    'replays: invocations a second of one core, and how right they are:\nSimFaaS, its experiments on Lambda (FULCRUM_TRACES), Erlang B and C;\nthe Azure trace of 2019 (FULCRUM_TRACES), read, replayed, priced;\nthe shop on a real server in both modes, against what replays say',
  async run({ quick, note }) {
    note('replays');
    const rows = replays(quick);
    note('fluid');
    rows.push(...fluid(quick));
    note("SimFaaS' case");
    rows.push(...simfaasCase(quick));
    note("SimFaaS' experiments");
    rows.push(...experiments(quick, note));
    note('Erlang');
    rows.push(...erlang(quick));
    note('Azure 2019');
    rows.push(...(await azureRows(FOLDER, quick, note)));
    rows.push(...(await liveRows(quick, note)));
    return rows;
  },
};

function row(name: string, metric: string, value: number, unit: string, target?: Target): Row {
  return rowOf('simulator', { name, metric, value, unit, ...(target === undefined ? {} : { target }) });
}

/** By the time that this process was given: other programs have their part of the machine's. */
function replays(quick: boolean): Row[] {
  const count = quick ? 500_000 : 5_000_000;
  const warm = poissonFor(count * 5, 5, 5, 1);
  const pooled = poissonFor(count * 5, 5, 50, 1);
  const served = { ...pooled, cpuMs: pooled.durationMs.map((ms) => ms * 0.2) };
  const fn: FunctionModel = {
    ...functionCase({ maxInstances: 1_000 }),
    coldStart: { quantilesMs: [100, 300] },
  };
  const service: ServiceModel = {
    ...serviceCase(1),
    settings: { ...serviceCase(1).settings, concurrency: 100, maxReplicas: 10 },
    start: { quantilesMs: [300, 600] },
  };
  const subjects: [string, Traffic, FunctionModel | ServiceModel, Target | undefined][] = [
    ['function, 1 at a time', warm, fn, { min: LEAST_PER_SECOND }],
    ['function, 10 at a time', pooled, fn, undefined],
    ['service, autoscaled', served, service, undefined],
  ];
  const spent = new Map(subjects.map(([name]) => [name, { cpuS: [] as number[], wallS: [] as number[] }]));
  for (let round = 0; round < (quick ? 3 : 7); round++) {
    for (const [name, traffic, model] of subjects) {
      const cpu = process.threadCpuUsage();
      const begunMs = performance.now();
      simulate(traffic, model, round);
      const { user, system } = process.threadCpuUsage(cpu);
      spent.get(name)!.wallS.push((performance.now() - begunMs) / 1_000);
      spent.get(name)!.cpuS.push((user + system) / 1e6);
    }
  }
  return subjects
    .flatMap(([name, traffic, , target]) => {
      const { cpuS, wallS } = spent.get(name)!;
      const invocations = traffic.arrivedAtMs.length;
      return [
        row(name, 'replay, a second of CPU', invocations / median(cpuS), '/s', target),
        row(name, 'replay, a second', invocations / median(wallS), '/s'),
      ];
    })
    .toSorted((a, b) => a.metric.localeCompare(b.metric));
}

/** 50 invocations a second on average, half as many at night and half as many again by day. */
function fluid(quick: boolean): Row[] {
  const days = quick ? 1 : 14;
  const traffic = {
    component: 'case',
    fromMs: 0,
    invocations: Float64Array.from({ length: days * 1_440 }, (_, i) =>
      Math.round(3_000 * (1 + 0.5 * Math.sin((i / 1_440) * 2 * Math.PI))),
    ),
    duration: {
      quantilesMs: Array.from({ length: 101 }, (_, i) => -Math.log(1 - Math.min(i / 100, 0.997)) * 500),
    },
    cpuShare: 0.01,
  };
  const service: ServiceModel = {
    ...serviceCase(1),
    settings: { ...serviceCase(1).settings, concurrency: 20, maxReplicas: 50 },
  };
  return [functionCase({}), service].map((model) => {
    const cpu = process.threadCpuUsage();
    simulateFluid(traffic, model, 1);
    const { user, system } = process.threadCpuUsage(cpu);
    return row(model.mode, 'fluid, days in a second of CPU', days / ((user + system) / 1e6), '/s');
  });
}

function simfaasCase(quick: boolean): Row[] {
  const found = Array.from({ length: quick ? 2 : 10 }, (_, i) =>
    poolFigures({ spanMs: 1e9, perSecond: 0.9, durationMs: 1_991, keepAliveMs: 600_000, seed: i + 1 }),
  );
  const of = (what: 'coldShare' | 'instances' | 'busy'): number => meanOf(found.map((one) => one[what]));
  const metric = "SimFaaS' case, published interval";
  return [
    row('cold starts', metric, of('coldShare') * 100, '%', { min: 0.13, max: 0.145 }),
    row('instances', metric, of('instances'), '', { min: 7.6, max: 7.8 }),
    row('at work', metric, of('busy'), '', { min: 1.78, max: 1.8 }),
  ];
}

/** The mean error over 20 real experiments on Lambda; SimFaaS' own model has 12.23 % and 3.05 %. */
function experiments(quick: boolean, note: (text: string) => void): Row[] {
  const file = join(FOLDER ?? '', 'simfaas-lambda-experiments.csv');
  if (FOLDER === undefined || !existsSync(file)) {
    note('FULCRUM_TRACES names no folder with simfaas-lambda-experiments.csv: left out');
    return [];
  }
  const [head, ...lines] = readFileSync(file, 'utf8').trim().split('\n');
  const names = head!.split(',');
  const errors = lines.map((line) => {
    const values = line.split(',').map(Number);
    const of = (name: string): number => values[names.indexOf(name)]!;
    const runs = Array.from({ length: quick ? 1 : 5 }, (_, i) =>
      poolFigures({
        spanMs: 1e9,
        perSecond: of('ArrivalRate'),
        durationMs: of('ServiceTimeWarm'),
        keepAliveMs: of('IdleMinutesBeforeKill') * 60_000,
        seed: i + 1,
      }),
    );
    const error = (found: number, measured: number): number => Math.abs(found / measured - 1);
    return {
      cold: error(meanOf(runs.map((run) => run.coldShare)), of('ColdStartProbability')),
      instances: error(meanOf(runs.map((run) => run.instances)), of('AverageInstanceCount')),
    };
  });
  const metric = '20 experiments on Lambda, mean error';
  return [
    row('cold starts', metric, meanOf(errors.map(({ cold }) => cold)) * 100, '%', { max: 12.5 }),
    row('instances', metric, meanOf(errors.map(({ instances }) => instances)) * 100, '%', { max: 3.3 }),
  ];
}

/** How far the mean of ten runs is off, in halves of its 95 % interval. */
function erlang(quick: boolean): Row[] {
  return erlangChecks(quick ? 50_000 : 500_000).map(({ name, expected, found }) =>
    row(
      name,
      'Erlang, off, of the 95 % interval',
      Math.abs(meanOf(found) - expected) / halfInterval95(found),
      '',
      {
        max: 1,
      },
    ),
  );
}
