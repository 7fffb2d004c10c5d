/**
 * The simulator against Fulcrum itself: the example shop, all of it as functions and all of it as services, each on a real server, under the same
 * seeded visits several times, the modes by turns. The first run of each mode is what is predicted from: its arrivals, its durations and its measured
 * starts are replayed, in its own mode (what another run would be) and in the other one (what a switch would make). The later ones are what came true.
 * Each run's own replay beside it tells the simulator's error from what else changes between two runs.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { Replayed } from '../src/advisor/comparison/replayed.ts';
import { modelsOfFacts } from '../src/advisor/own/models-of-facts.ts';
import type { OwnUsage } from '../src/advisor/own/own-usage.ts';
import { readOwnUsage } from '../src/advisor/own/read-own-usage.ts';
import { usageOfUnit } from '../src/advisor/own/unit-usage.ts';
import { simulate } from '../src/advisor/simulator/simulate.ts';
import { billsOf } from '../src/meter/bill.ts';
import { openBook } from '../src/meter/price-book.ts';
import { Sketch } from '../src/meter/sketch.ts';
import { mergedUsed } from '../src/meter/used.ts';
import type { Mode } from '../src/model/app.ts';
import type { UsageLine } from '../src/model/usage-export.ts';
import type { Used } from '../src/model/used.ts';
import { rowOf, type Row, type Target } from './benchmark.ts';
import { LineProcess } from './line-process.ts';
import type { ShopHello, ShopQuestion } from './shop-server.ts';
import { meanOf } from './simulator-cases.ts';

const MODES: readonly Mode[] = ['function', 'service'];
const BOOKS: Readonly<Record<Mode, string>> = { function: 'aws-lambda-x86', service: 'aws-fargate-x86' };
const SEED = 7;
const MINUTE_MS = 60_000;
/** Bundles loaded, code compiled, zygotes forked: what a server has behind it after its first minute. */
const WARM_UP_SEED = 8;
const RPS = 20;
/** The last visitors are gone by then. */
const SETTLE_MS = 10_000;
const QUICK_SETTLE_MS = 1_000;
/** As `scaling/machine-budget.ts` allows. */
const STARTS_PER_CPU = 3;
const MOST_OFF = 2;
/** Of Student's t, two sides, 95 %, by degrees of freedom. */
const T95 = [Number.NaN, 12.71, 4.3, 3.18, 2.78, 2.57];

/** What a run was, or would be. */
interface Figures {
  readonly cost: number;
  readonly coldStarts: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
}

interface Run {
  readonly usage: OwnUsage;
  readonly figures: Figures;
}

export async function liveRows(quick: boolean, note: (text: string) => void): Promise<Row[]> {
  // One run has no spread: what it foretells cannot be held against anything.
  const [runs, minutes, warmUp] = quick ? [0, 0.05, 0.05] : [5, 1.8, 1];
  const folder = await mkdtemp(join(tmpdir(), 'fulcrum-bench-'));
  const servers: Partial<Record<Mode, LineProcess<ShopHello>>> = {};
  try {
    for (const mode of MODES) {
      note(`the shop as ${mode}s: warming up`);
      await mkdir(join(folder, mode));
      servers[mode] = await LineProcess.start<ShopHello>('shop-server.ts', [join(folder, mode), mode]);
      await visits(servers[mode].hello.url, warmUp, WARM_UP_SEED);
    }
    const all: Record<Mode, Run[]> = { function: [], service: [] };
    for (let i = 0; i <= runs; i++) {
      note(`the shop, run ${i + 1} of ${runs + 1}`);
      // They would be in each other's way: at the same time only where nobody believes the numbers.
      const run = async (mode: Mode): Promise<unknown> =>
        all[mode].push(await liveRun(servers[mode]!, mode, minutes, quick));
      if (quick) await Promise.all(MODES.map(run));
      else for (const mode of MODES) await run(mode);
    }
    return MODES.flatMap((mode) => {
      const [first, ...later] = all[mode];
      const other = all[mode === 'function' ? 'service' : 'function'][0]!;
      const foretold =
        later.length === 0
          ? []
          : [
              ...rowsOf(`shop as ${mode}s`, predicted(first!.usage, mode), later),
              ...rowsOf(`shop as ${mode}s, from the other mode`, predicted(other.usage, mode), later),
            ];
      return [...foretold, ...replayedRows(`shop as ${mode}s, each run replayed`, mode, all[mode])];
    });
  } finally {
    await Promise.all(Object.values(servers).map((server) => server.stop()));
    await rm(folder, { recursive: true, force: true });
  }
}

async function liveRun(
  server: LineProcess<ShopHello>,
  mode: Mode,
  minutes: number,
  quick: boolean,
): Promise<Run> {
  // Usage is counted by the minute, and that of the run before must not be in it; where nobody believes the numbers, it may.
  const minute = Math.floor(Date.now() / MINUTE_MS);
  const fromMs = (quick ? minute : minute + 1) * MINUTE_MS;
  await wait(Math.max(0, fromMs - Date.now()));
  // The same stretch each time, whenever the last visitor leaves: what is billed by the minute is alike then.
  const visitedMs = minutes * MINUTE_MS;
  const toMs = quick ? Date.now() + visitedMs + QUICK_SETTLE_MS : fromMs + visitedMs + SETTLE_MS;
  await visits(server.hello.url, minutes, SEED);
  await wait(Math.max(0, toMs - Date.now()));
  const question: ShopQuestion = { fromMs, toMs };
  const lines = await server.ask<UsageLine[]>(question);
  const usage = await readOwnUsage(streamed(lines));
  return { usage, figures: lived(usage, lines, mode) };
}

async function visits(url: string, minutes: number, seed: number): Promise<void> {
  const script = fileURLToPath(new URL('../examples/shop/scripts/traffic.ts', import.meta.url));
  const options = ['--rps', RPS, '--minutes', minutes, '--seed', seed, '--url', url, '--json'].map(String);
  const child = spawn(process.execPath, [script, ...options], { stdio: ['ignore', 'ignore', 'inherit'] });
  const [code] = (await once(child, 'exit')) as [number | null];
  if (code !== 0) throw new Error(`The visits ended with ${code}: a request failed.`);
}

async function* streamed(lines: readonly UsageLine[]): AsyncGenerator<UsageLine> {
  yield* lines;
}

/** What was counted, at the books' prices. */
function lived(usage: OwnUsage, lines: readonly UsageLine[], mode: Mode): Figures {
  const used = usage.facts.flatMap((facts) => {
    const days = usageOfUnit(usage, facts).days.filter((day) => day.mode === mode);
    return days.length === 0 ? [] : [mergedUsed(days, usage)];
  });
  const latency = new Sketch();
  for (const line of lines) {
    if (line.kind === 'minute' && line.outcome !== 'refused')
      latency.merge(Sketch.decode(Buffer.from(line.latency, 'base64')));
  }
  return {
    cost: costOf(used, usage, mode),
    coldStarts: used.reduce((sum, { cold }) => sum + cold, 0),
    p50Ms: latency.quantile(0.5) ?? 0,
    p99Ms: latency.quantile(0.99) ?? 0,
  };
}

/** The same arrivals, replayed on this machine. */
function predicted(usage: OwnUsage, mode: Mode): Figures {
  const cpus = availableParallelism();
  const replayed = new Replayed(mode, usage);
  for (const facts of usage.facts) {
    const { traffic } = usageOfUnit(usage, facts);
    const models = modelsOfFacts(facts, { cpus, startsAtOnce: STARTS_PER_CPU * cpus });
    replayed.add(simulate(traffic, models[mode], SEED));
  }
  const { coldStarts, latency } = replayed.result();
  return {
    cost: costOf(replayed.used, usage, mode),
    coldStarts,
    p50Ms: latency?.p50Ms ?? 0,
    p99Ms: latency?.p99Ms ?? 0,
  };
}

/** Of a month of it, so that runs that last not quite as long are alike; compute alone, as fees are the same however it runs. */
function costOf(used: readonly Used[], usage: OwnUsage, mode: Mode): number {
  const components = Object.fromEntries(
    usage.facts.map(({ unit, [mode]: settings }) => [unit, { concurrency: settings.concurrency }]),
  );
  const bills = billsOf(used, openBook(BOOKS[mode]), { components, without: ['gateway', 'load-balancer'] });
  const amount = bills.reduce((sum, { lines }) => sum + lines.reduce((all, line) => all + line.amount, 0), 0);
  return (amount * 730 * 3_600_000) / (usage.toMs - usage.fromMs);
}

function rowsOf(name: string, found: Figures, runs: readonly Run[]): Row[] {
  const of = (key: keyof Figures): number[] => runs.map(({ figures }) => figures[key]);
  const spread = (key: keyof Figures): Target => ({ min: Math.min(...of(key)), max: Math.max(...of(key)) });
  const row = (metric: string, value: number, unit: string, target: Target): Row =>
    rowOf('simulator', { name, metric: `live: ${metric}`, value, unit, target });
  const cost = meanOf(of('cost'));
  return [
    row('cost, off the mean of the runs', Math.abs(found.cost / cost - 1) * 100, '%', { max: MOST_OFF }),
    row('cold starts, 95 % interval of a run', found.coldStarts, '', intervalOfNext(of('coldStarts'))),
    row('p50, spread of the runs', found.p50Ms, 'ms', spread('p50Ms')),
    row('p99, spread of the runs', found.p99Ms, 'ms', spread('p99Ms')),
  ];
}

/** How far a run's own replay is off, on average. */
function replayedRows(name: string, mode: Mode, runs: readonly Run[]): Row[] {
  const off = (key: keyof Figures): number =>
    meanOf(runs.map(({ usage, figures }) => Math.abs(predicted(usage, mode)[key] / figures[key] - 1) * 100));
  const row = (metric: string, value: number, target?: Target): Row =>
    rowOf('simulator', {
      name,
      metric: `live: ${metric}`,
      value,
      unit: '%',
      ...(target === undefined ? {} : { target }),
    });
  return [
    row('cost, off', off('cost'), { max: MOST_OFF }),
    row('p50, off', off('p50Ms')),
    row('p99, off', off('p99Ms')),
  ];
}

/** In which the next of the like lies: mean ± t × deviation × √(1 + 1/n). Of one nothing is known but itself. */
function intervalOfNext(values: readonly number[]): Target {
  const mean = meanOf(values);
  const degrees = values.length - 1;
  if (degrees === 0) return { min: mean, max: mean };
  const variance = values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / Math.max(1, degrees);
  const half = (T95[degrees] ?? 2) * Math.sqrt(variance * (1 + 1 / values.length));
  return { min: mean - half, max: mean + half };
}
