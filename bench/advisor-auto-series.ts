/** Months of traffic by the minute, and what each mode costs in them. */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { perMonthOf } from '../src/advisor/comparison/offers.ts';
import { Random } from '../src/advisor/random.ts';
import { simulateFluid } from '../src/advisor/simulator/simulate-minutes.ts';
import { billsOf } from '../src/meter/bill.ts';
import { shippedBooks } from '../src/meter/price-book.ts';
import type { Mode } from '../src/model/app.ts';
import type { PriceBook } from '../src/model/price-book.ts';
import type { FunctionModel, MinuteTraffic, ServiceModel, Simulated } from '../src/model/simulation.ts';
import type { Used } from '../src/model/used.ts';

const MINUTE_MS = 60_000;
const DAY_MINUTES = 1_440;
/** A Monday. */
const FROM_MS = Date.UTC(2026, 10, 2);
/** What one window is cut into, as the advisor cuts it: a sixth of an hour. */
export const BLOCKS = 6;
const BLOCK_MINUTES = 10;

export interface Series {
  readonly kind: string;
  readonly name: string;
  readonly traffic: MinuteTraffic;
}

/** By hour, then by block: what each mode costs in it. */
export interface Costs {
  readonly series: Series;
  readonly hours: readonly Readonly<Record<Mode, readonly number[]>>[];
  /** Invocations by hour. */
  readonly executed: readonly number[];
}

const FUNCTION: FunctionModel = {
  mode: 'function',
  settings: {
    concurrency: 1,
    memoryBytes: 128 * 1024 ** 2,
    timeoutMs: 900_000,
    maxQueued: 100_000,
    keepAliveMs: 600_000,
    keepAlive: 'fixed',
    fresh: false,
    maxInstances: 10_000,
  },
  coldStart: { quantilesMs: [100, 100, 200] },
  provisioned: 0,
};

const SERVICE: ServiceModel = {
  mode: 'service',
  settings: {
    concurrency: 100,
    memoryBytes: 128 * 1024 ** 2,
    timeoutMs: 900_000,
    maxQueued: 100_000,
    minReplicas: 1,
    maxReplicas: 100,
    affinity: null,
    healthIntervalMs: 10_000,
    drainMs: 30_000,
  },
  start: { quantilesMs: [500] },
  cpus: 1,
};

const KINDS: Readonly<Record<string, (minute: number, minutes: number) => number>> = {
  steady: () => 1,
  diurnal: (minute) => 1 + 0.9 * Math.cos((2 * Math.PI * (minute - 14 * 60)) / DAY_MINUTES),
  step: (minute, minutes) => (minute < minutes / 2 ? 0.2 : 3),
  seasonal: (minute) =>
    (1 + 0.8 * Math.cos((2 * Math.PI * (minute - 14 * 60)) / DAY_MINUTES)) *
    (Math.floor(minute / DAY_MINUTES) % 7 < 5 ? 1.3 : 0.15),
  drift: (minute, minutes) => 0.2 * 25 ** (minute / minutes),
};

/** Made-up series, around the rate at which both modes cost the same. */
export function madeSeries(days: number, quick: boolean): Series[] {
  const minutes = days * DAY_MINUTES;
  const durations = [1, 20, 60, 90, 120, 400];
  // One that costs on Lambda what a quarter of a vCPU costs on Fargate, give or take.
  const even = 520;
  return Object.entries(KINDS).flatMap(([kind, shape], k) =>
    (quick ? [0.6, 1, 1.6] : [0.25, 0.6, 0.9, 1, 1.1, 1.6, 4]).map((times): Series => {
      const random = new Random(k, `${kind} ${times}`);
      const invocations = Float64Array.from({ length: minutes }, (_, minute) =>
        poisson(even * times * shape(minute, minutes), random),
      );
      return seriesOf(kind, `${kind} ×${times}`, invocations, durations);
    }),
  );
}

/**
 * Functions of Azure's trace of 2019, their eight hours after one another, with traffic that grows 9 times over the whole or shrinks as much: so much at
 * once that some begin below break-even and end above.
 */
export function azureSeries(folder: string, days: number, most: number): Series[] {
  const file = (what: string): string => join(folder, `azure2019-500-${what}.csv`);
  if (!existsSync(file('invocations')) || !existsSync(file('durations'))) return [];
  const durations = new Map(
    linesOf(file('durations')).map((fields) => [fields[2]!, fields.slice(7).map(Number)]),
  );
  const minutes = days * DAY_MINUTES;
  const found = linesOf(file('invocations')).flatMap((fields, i): Series[] => {
    const counts = fields.slice(4).map(Number);
    const quantiles = durations.get(fields[2]!);
    const total = counts.reduce((sum, count) => sum + count, 0);
    // One that is called less often is a function whatever comes.
    if (quantiles === undefined || quantiles.at(-1)! <= 0 || total < 500) return [];
    const [, least, quarter, middle, upper, high] = quantiles as [
      number,
      number,
      number,
      number,
      number,
      number,
    ];
    const steps = [least, quarter, middle, upper, high].map((ms) => Math.max(1, ms));
    const meanMs = steps.reduce((sum, ms) => sum + ms, 0) / steps.length;
    // Traffic times this: on average it costs about the same in both modes.
    const times = 520 / (0.8 + 0.2 * (meanMs / 85)) / (total / counts.length);
    const random = new Random(i, 'azure');
    const grows = i % 2 === 0;
    const invocations = Float64Array.from({ length: minutes }, (_, minute) => {
      const drift = 9 ** ((grows ? 1 : -1) * (minute / minutes - 0.5));
      return poisson(counts[minute % counts.length]! * times * drift, random);
    });
    return [seriesOf('Azure', fields[2]!.slice(0, 8), invocations, steps)];
  });
  const step = Math.max(1, Math.floor(found.length / most));
  return found.filter((_, i) => i % step === 0).slice(0, most);
}

function seriesOf(
  kind: string,
  name: string,
  invocations: Float64Array,
  quantilesMs: readonly number[],
): Series {
  const traffic = { component: name, fromMs: FROM_MS, invocations, duration: { quantilesMs }, cpuShare: 0.3 };
  return { kind, name, traffic };
}

function linesOf(file: string): string[][] {
  const [, ...lines] = readFileSync(file, 'utf8').trim().split('\n');
  return lines.map((line) => line.split(','));
}

/** Replays a series in both modes, and prices it block by block. */
export function costsOf(series: Series): Costs {
  const books = shippedBooks();
  const book = (id: string): PriceBook => books.find((one) => one.id === id)!;
  const fn = blocksOf(simulateFluid(series.traffic, FUNCTION, 1), book('aws-lambda-x86'));
  const service = blocksOf(simulateFluid(series.traffic, SERVICE, 1), book('aws-fargate-x86'));
  const { invocations } = series.traffic;
  const hours = Array.from({ length: Math.floor(invocations.length / 60) }, (_, hour) => ({
    function: fn.slice(hour * BLOCKS, (hour + 1) * BLOCKS),
    service: service.slice(hour * BLOCKS, (hour + 1) * BLOCKS),
  }));
  const executed = hours.map((_, hour) => {
    let sum = 0;
    for (let minute = hour * 60; minute < (hour + 1) * 60; minute++) sum += invocations[minute]!;
    return sum;
  });
  return { series, hours, executed };
}

/** What was used is cut into blocks by the minutes, which is exact but for invocations that reach over a block's end. */
function blocksOf({ used, minutes }: Simulated, book: PriceBook): number[] {
  const count = Math.floor((used.toMs - used.fromMs) / (BLOCK_MINUTES * MINUTE_MS));
  const blockOf = (minuteMs: number): number =>
    Math.floor((minuteMs - used.fromMs) / (BLOCK_MINUTES * MINUTE_MS));
  const loads = Map.groupBy(used.load, ({ minuteMs }) => blockOf(minuteMs));
  const lived = new Float64Array(count + 1);
  for (const { minuteMs, living } of minutes) {
    const block = blockOf(minuteMs);
    if (block >= 0 && block < count) lived[block]! += living * MINUTE_MS;
  }
  const share = used.executed === 0 ? 0 : used.byteMs / Math.max(1, used.wholeMs);
  return Array.from({ length: count }, (_, block): number => {
    const load = loads.get(block) ?? [];
    const sum = (of: (minute: (typeof load)[number]) => number): number =>
      load.reduce((total, minute) => total + of(minute), 0);
    const wholeMs = sum(({ workMs }) => workMs);
    const executed = sum((minute) => minute.executed);
    const livedMs = lived[block]!;
    const part: Used = {
      ...used,
      fromMs: used.fromMs + block * BLOCK_MINUTES * MINUTE_MS,
      toMs: used.fromMs + (block + 1) * BLOCK_MINUTES * MINUTE_MS,
      ...{ executed, wholeMs, load, hundredsMs: null, durations: [], refused: 0, cold: 0, startMs: 0 },
      byteMs: wholeMs * share,
      cpuMs: sum(({ cpuMs }) => cpuMs),
      instances: {
        ...{ started: 0, livedMs, usedByteMs: null },
        heldByteMs: livedMs * SERVICE.settings.memoryBytes,
        cpuMs: sum(({ cpuMs }) => cpuMs),
      },
    };
    return perMonthOf(billsOf([part], book), 1);
  });
}

/** By Knuth for few, by the normal distribution for many. */
function poisson(mean: number, random: Random): number {
  if (mean > 50) return Math.max(0, Math.round(mean + Math.sqrt(mean) * random.normal()));
  const least = Math.exp(-mean);
  let count = 0;
  for (let product = random.next(); product > least; product *= random.next()) count++;
  return count;
}
