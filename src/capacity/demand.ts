import type { Mode, UnitSpec } from '../model/app.ts';
import type { UsageHour } from '../model/usage-store.ts';
import { HOUR_MS, DAY_MS, type HourlySeries } from './forecast.ts';
import { median } from './trend.ts';

/**
 * A replica is not planned to be busier than this: Knative's own target utilisation (`container-concurrency-target-percentage`),
 * which is when services get another one.
 */
const TARGET_UTILISATION = 0.7;
/** The normal distribution's 99 % quantile: how many work at the same time is Poisson where arrivals do not know of each other (M/G/∞). */
const Z = 2.326;
/** An exact count may say that arrivals come in bursts, or in step; more than this is one odd minute. */
const MOST_BURST = 10;
const LEAST_BURST = 0.1;
/** In an hour that usually has so many requests, none at all is an outage. */
const USUAL_REQUESTS = 60;

/** What was asked of a component in an hour: the busiest minute of each. */
export interface HourDemand {
  readonly atMs: number;
  readonly requests: number;
  readonly rps: number;
  /** Mean number at the same time, by Little's law: what arrived in a minute times how long it took. */
  readonly concurrency: number;
  readonly cpuCores: number;
}

const NOTHING: Omit<HourDemand, 'atMs'> = { requests: 0, rps: 0, concurrency: 0, cpuCores: 0 };

/** Each hour from the component's first to before `toMs`; null in an outage. Empty where it has no usage. */
export function demandOf(
  hours: readonly UsageHour[],
  toMs: number,
  outages: ReadonlySet<number>,
): readonly (HourDemand | null)[] {
  const first = hours[0]?.hourMs;
  if (first === undefined) return [];
  const known = new Map(hours.map((hour) => [hour.hourMs, hour]));
  return hoursBetween(first, toMs).map((atMs) => {
    const hour = known.get(atMs);
    if (hour === undefined) return outages.has(atMs) ? null : { atMs, ...NOTHING };
    return {
      atMs,
      requests: hour.count,
      rps: hour.minuteCount / 60,
      concurrency: hour.minuteWorkMs / 60_000,
      cpuCores: hour.minuteCpuMs / 60_000,
    };
  });
}

/** What was asked of several that share their instances. Their busiest minutes are added up, for they may meet. */
export function joinedHours(each: readonly (readonly UsageHour[])[]): readonly UsageHour[] {
  if (each.length === 1) return each[0]!;
  const joined = [...Map.groupBy(each.flat(), ({ hourMs }) => hourMs).values()].map((parts) =>
    parts.reduce(added),
  );
  return joined.sort((a, b) => a.hourMs - b.hourMs);
}

function added(one: UsageHour, other: UsageHour): UsageHour {
  return {
    hourMs: one.hourMs,
    count: one.count + other.count,
    refused: one.refused + other.refused,
    startMs: one.startMs + other.startMs,
    durationMs: one.durationMs + other.durationMs,
    cpuMs: one.cpuMs + other.cpuMs,
    minuteCount: one.minuteCount + other.minuteCount,
    minuteWorkMs: one.minuteWorkMs + other.minuteWorkMs,
    minuteCpuMs: one.minuteCpuMs + other.minuteCpuMs,
  };
}

/**
 * Hours in which nothing at all came to an app though at that hour of the day, as a median over the days, it gets 60 requests or more: the
 * server was away. A night without visitors is none.
 */
export function outagesOf(usage: readonly (readonly UsageHour[])[], toMs: number): Set<number> {
  const total = new Map<number, number>();
  for (const hours of usage) {
    for (const { hourMs, count } of hours) total.set(hourMs, (total.get(hourMs) ?? 0) + count);
  }
  if (total.size === 0) return new Set();
  const all = hoursBetween(Math.min(...total.keys()), toMs);
  const counts = Array.from({ length: 24 }, (): number[] => []);
  for (const atMs of all) counts[hourOfDay(atMs)]!.push(total.get(atMs) ?? 0);
  const usual = counts.map((those) => (those.length === 0 ? 0 : median(those)));
  return new Set(all.filter((atMs) => !total.has(atMs) && usual[hourOfDay(atMs)]! >= USUAL_REQUESTS));
}

/** How many requests are worked on at the same time in a moment of a minute whose mean is `mean`, but for one moment in a hundred. */
export function together(mean: number): number {
  return mean + Z * Math.sqrt(mean);
}

/** How many times {@link together} there really were at once: what is counted exactly, over what chance alone would give. */
export function burstOf(exact: number | null, mean: number): number {
  if (exact === null || mean <= 0) return 1;
  return Math.min(Math.max(exact / together(mean), LEAST_BURST), MOST_BURST);
}

/**
 * Instances that `demand` needs in `mode`, with a fraction: a function as many as work at the same time, a service by Knative's rule, 70 % of
 * its concurrency or of one core each, whichever asks for more.
 */
export function instancesNeeded(spec: UnitSpec, mode: Mode, demand: HourDemand, burst: number): number {
  if (mode === 'service') {
    const places = spec.service.concurrency * TARGET_UTILISATION;
    return Math.max(demand.concurrency / places, demand.cpuCores / TARGET_UTILISATION);
  }
  if (demand.requests === 0) return 0;
  const each = spec.function.fresh ? 1 : spec.function.concurrency;
  return Math.max(1, (burst * together(demand.concurrency)) / each);
}

/** Instances that there are for what is needed: whole ones, within what the settings allow. */
export function instancesPresent(spec: UnitSpec, mode: Mode, needed: number): number {
  const { least, most } = instanceRange(spec, mode);
  return Math.min(Math.max(Math.ceil(needed), least), most);
}

export function instanceRange(spec: UnitSpec, mode: Mode): { readonly least: number; readonly most: number } {
  return mode === 'function'
    ? { least: 0, most: spec.function.maxInstances }
    : { least: spec.service.minReplicas, most: spec.service.maxReplicas };
}

export function seriesOf(
  demand: readonly (HourDemand | null)[],
  valueOf: (hour: HourDemand) => number,
): HourlySeries {
  const first = demand.findIndex((hour) => hour !== null);
  return {
    fromMs: (demand[first]?.atMs ?? 0) - Math.max(first, 0) * HOUR_MS,
    values: demand.map((hour) => (hour === null ? null : valueOf(hour))),
  };
}

function hourOfDay(atMs: number): number {
  return (atMs % DAY_MS) / HOUR_MS;
}

function hoursBetween(fromMs: number, toMs: number): number[] {
  const count = Math.max(0, Math.floor((toMs - fromMs) / HOUR_MS));
  return Array.from({ length: count }, (_, i) => fromMs + i * HOUR_MS);
}
