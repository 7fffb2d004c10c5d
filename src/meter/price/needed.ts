import type { MinuteLoad, Used } from '../../model/used.ts';

const MINUTE_MS = 60_000;
const DAY_MS = 86_400_000;
/**
 * How much of a replica may be at work on a minute's average: what services scale by here too (Knative's target utilisation). The rest is for
 * what comes unevenly within the minute.
 */
export const TARGET = 0.7;
/** A whole number that a division misses by less than this is that number. */
const SLACK = 1e-9;

/** What one unit (a replica, a machine) can carry. */
export interface Carries {
  /** vCPUs that its work can use, at the peak and all day long. */
  readonly vcpu: number;
  readonly sustainedVcpu: number;
  /** Requests that it works on at a time; Infinity: as many as come. */
  readonly concurrency: number;
  /** Fewer there never are. */
  readonly atLeast: number;
}

/** What a stretch needs of units that carry so much. */
export interface Needed {
  /** At the peak. */
  readonly units: number;
  /** Following the load minute by minute: of each, in ms. */
  readonly unitMs: number;
  /** Of `unitMs`: with something to do. */
  readonly busyMs: number;
}

/** Books of the same sizes ask the same of the same use, and a month has many minutes. */
const known = new WeakMap<Used, Map<string, Needed>>();

export function neededBy(used: Used, carries: Carries): Needed {
  const key = `${carries.vcpu} ${carries.sustainedVcpu} ${carries.concurrency} ${carries.atLeast}`;
  let ofUsed = known.get(used);
  if (ofUsed === undefined) known.set(used, (ofUsed = new Map<string, Needed>()));
  let needed = ofUsed.get(key);
  if (needed === undefined) ofUsed.set(key, (needed = minuteByMinute(used, carries)));
  return needed;
}

function minuteByMinute(used: Used, carries: Carries): Needed {
  const ofDays = neededByDays(used, carries);
  let peak = 0;
  let unitMs = 0;
  let busyMs = 0;
  let restMs = Math.max(0, used.toMs - used.fromMs);
  const take = (minute: MinuteLoad, ms: number, ofDay: number): void => {
    const units = Math.max(neededIn(minute, carries), ofDay);
    peak = Math.max(peak, units);
    unitMs += ms * units;
    // A unit has nothing to do with probability e^-a, where `a` requests are at work in it on average and come at random (M/G/∞).
    busyMs += ms * units * -Math.expm1(-minute.workMs / MINUTE_MS / units);
    restMs -= ms;
  };
  for (const minute of used.load)
    take(
      minute,
      overlap(minute.minuteMs, minute.minuteMs + MINUTE_MS, used),
      ofDays?.get(dayOf(minute)) ?? 0,
    );
  // Where nobody kept minutes, the average is all there is to go by; else nothing happened in those that are not there.
  const rest = used.load.length === 0 ? averageOf(used) : { ...averageOf(used), workMs: 0, cpuMs: 0 };
  if (restMs > 0 || used.load.length === 0) take(rest, Math.max(0, restMs), 0);
  return { units: peak, unitMs, busyMs };
}

function neededIn(minute: MinuteLoad, carries: Carries): number {
  const cpus = minute.cpuMs / MINUTE_MS / TARGET;
  const requests = minute.workMs / MINUTE_MS / TARGET;
  return Math.max(
    1,
    carries.atLeast,
    whole(cpus / carries.vcpu),
    whole(requests / carries.concurrency),
    whole((minute.busiest ?? 0) / carries.concurrency),
  );
}

/** What is burst capacity in a minute must be earned within the day. */
function neededByDays(used: Used, carries: Carries): ReadonlyMap<number, number> | null {
  if (carries.sustainedVcpu >= carries.vcpu) return null;
  const units = new Map<number, number>();
  const cpuMs = new Map<number, number>();
  for (const minute of used.load) cpuMs.set(dayOf(minute), (cpuMs.get(dayOf(minute)) ?? 0) + minute.cpuMs);
  for (const [day, ms] of cpuMs) {
    const length = Math.max(MINUTE_MS, overlap(day * DAY_MS, (day + 1) * DAY_MS, used));
    units.set(day, whole(ms / length / carries.sustainedVcpu));
  }
  return units;
}

function averageOf(used: Used): MinuteLoad {
  const perMinute = MINUTE_MS / Math.max(MINUTE_MS, used.toMs - used.fromMs);
  return {
    minuteMs: used.fromMs,
    executed: used.executed * perMinute,
    workMs: used.wholeMs * perMinute,
    cpuMs: used.cpuMs * perMinute,
    busiest: null,
  };
}

function dayOf(minute: MinuteLoad): number {
  return Math.floor(minute.minuteMs / DAY_MS);
}

function overlap(fromMs: number, toMs: number, used: Used): number {
  return Math.max(0, Math.min(toMs, used.toMs) - Math.max(fromMs, used.fromMs));
}

function whole(value: number): number {
  return Math.ceil(value - SLACK);
}
