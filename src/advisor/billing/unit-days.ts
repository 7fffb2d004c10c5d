import type { UnitFacts } from '../../model/advice-facts.ts';
import type { Mode } from '../../model/app.ts';
import type { BillScenario, UsedBasis } from '../../model/bill-report.ts';
import type { ServiceModel, Traffic } from '../../model/simulation.ts';
import type { Used } from '../../model/used.ts';
import { mergedUsed, type Stretch } from '../../meter/used.ts';
import { modelsOfFacts, type FactModels } from '../own/models-of-facts.ts';
import type { OwnComponent, OwnUsage } from '../own/own-usage.ts';
import { usageOfUnit } from '../own/unit-usage.ts';
import { simulate } from '../simulator/simulate.ts';
import { leastReplicasDo } from './least-replicas.ts';

const DAY_MS = 86_400_000;
/** Minutes begin and end within it. */
const SLACK_MS = 2 * 60_000;
/** What is first seen within so much of a stretch has been there from its beginning: it had nothing to do. */
const NEAR = 0.01;
const MODES = ['function', 'service'] as const;

/** What a unit used on a day, or would have. */
export interface DailyUsed {
  readonly scenario: BillScenario;
  readonly dayMs: number;
  readonly basis: UsedBasis;
  readonly used: Used;
}

/** A component or a group from when it was first seen. */
export interface UnitDays {
  readonly unit: string;
  readonly members: readonly string[];
  /** Null: it is not in what serves now. */
  readonly facts: UnitFacts | null;
  readonly stretch: Stretch;
  /** As it ran: by mode and day. */
  readonly counted: readonly Used[];
  /** By day. In `as-it-ran` a day has one of each mode that it ran in, else it has one. */
  readonly days: readonly DailyUsed[];
}

/**
 * What each unit used by the day as it ran, and what it would have used in each mode: a day on which it ran in one mode only is that mode's as it was
 * counted; for the other mode what came is replayed. Units that were not used at all are left out. The same usage and seed give the same.
 */
export function unitDays(usage: OwnUsage, seed: number): readonly UnitDays[] {
  const steps = unitDaysInSteps(usage, seed);
  for (;;) {
    const { value, done } = steps.next();
    if (done === true) return value;
  }
}

/** As {@link unitDays}, a day of a unit at a time: before each it tells how much is done, 0 to 1. */
export function* unitDaysInSteps(usage: OwnUsage, seed: number): Generator<number, readonly UnitDays[]> {
  const known = usage.facts.map((facts) => ({ unit: facts.unit, members: facts.members, facts }));
  const gone = usage.components
    .filter(({ name }) => !usage.facts.some(({ members }) => members.includes(name)))
    .map(({ name }) => ({ unit: name, members: [name], facts: null }));
  const all = [...known, ...gone];
  const units: UnitDays[] = [];
  for (const [i, one] of all.entries()) {
    const counted = usageOfUnit(usage, one);
    if (counted.days.length === 0) continue;
    const own = { ...counted, days: withoutBreaks(counted.days) };
    const models = one.facts === null ? null : modelsOfFacts(one.facts);
    const stretch = lifeOf(own, one.facts !== null, usage);
    const stretchDays = daysOf(stretch);
    const days: DailyUsed[] = [];
    for (const [j, day] of stretchDays.entries()) {
      yield (i + j / stretchDays.length) / all.length;
      days.push(...ofDay(own, day, one.facts, models, seed));
    }
    units.push({ ...one, stretch, counted: own.days, days });
  }
  return units;
}

/** What is billed of `usage`: from when anything was first seen. */
export function stretchOf(units: readonly UnitDays[], { toMs }: Stretch): Stretch {
  return { fromMs: units.reduce((first, { stretch }) => Math.min(first, stretch.fromMs), toMs), toMs };
}

/** What is not in what serves now was there until the end of the day on which it was last seen, or until it was no service any more. */
function lifeOf(own: OwnComponent, serves: boolean, { fromMs, toMs }: Stretch): Stretch {
  const seenMs = Math.min(...own.days.map((day) => day.fromMs));
  const lastMs = serves ? toMs : Math.min(toMs, Math.max(...own.days.map((day) => day.toMs)));
  const near = (toMs - fromMs) * NEAR;
  return {
    fromMs: seenMs - fromMs < near ? fromMs : seenMs,
    toMs: toMs - lastMs < near ? toMs : lastMs,
  };
}

/**
 * With a service's days from the first moment to the last where it has been one from one day to the next: a server that was away for a while in the
 * night has not made another service of it. One that was called as a function on either day was a function in between.
 */
function withoutBreaks(days: readonly Used[]): Used[] {
  const called = new Set(days.filter(({ mode }) => mode === 'function').map(({ fromMs }) => dayOf(fromMs)));
  const services = days.filter(({ mode }) => mode === 'service');
  const follows = (one: Used | undefined, other: Used | undefined): boolean => {
    if (one === undefined || other === undefined) return false;
    const [day, next] = [dayOf(one.fromMs), dayOf(other.fromMs)];
    const switched = called.has(day) || called.has(next);
    return next - day === 1 && (!switched || other.fromMs - one.toMs < SLACK_MS);
  };
  const filled = new Map(
    services.map((used, i): [Used, Used] => {
      const startMs = dayOf(used.fromMs) * DAY_MS;
      const fromMs = follows(services[i - 1], used) ? startMs : used.fromMs;
      const toMs = follows(used, services[i + 1]) ? startMs + DAY_MS : used.toMs;
      return [used, fromMs === used.fromMs && toMs === used.toMs ? used : { ...used, fromMs, toMs }];
    }),
  );
  return days.map((used) => filled.get(used) ?? used);
}

function dayOf(atMs: number): number {
  return Math.floor(atMs / DAY_MS);
}

/** The days (UTC) of a stretch, the first and the last as far as they are in it. */
export function daysOf({ fromMs, toMs }: Stretch): Stretch[] {
  const days: Stretch[] = [];
  for (let atMs = fromMs; atMs < toMs;) {
    const nextMs = Math.min(toMs, (Math.floor(atMs / DAY_MS) + 1) * DAY_MS);
    days.push({ fromMs: atMs, toMs: nextMs });
    atMs = nextMs;
  }
  return days;
}

function ofDay(
  own: OwnComponent,
  day: Stretch,
  facts: UnitFacts | null,
  models: FactModels | null,
  seed: number,
): DailyUsed[] {
  const dayMs = Math.floor(day.fromMs / DAY_MS) * DAY_MS;
  const counted = own.days.filter(({ fromMs, toMs }) => fromMs < day.toMs && toMs > day.fromMs);
  const ran = counted.map((used): DailyUsed => ({ scenario: 'as-it-ran', dayMs, basis: 'counted', used }));
  return [
    ...ran,
    ...MODES.map((mode): DailyUsed => ({
      scenario: mode,
      dayMs,
      ...inMode(mode, own, counted, day, facts, models, seed),
    })),
  ];
}

function inMode(
  mode: Mode,
  own: OwnComponent,
  counted: readonly Used[],
  day: Stretch,
  facts: UnitFacts | null,
  models: FactModels | null,
  seed: number,
): Pick<DailyUsed, 'basis' | 'used'> {
  const [only] = counted;
  if (counted.length === 1 && only!.mode === mode) {
    const whole = only!.fromMs - day.fromMs < SLACK_MS && day.toMs - only!.toMs < SLACK_MS;
    return { basis: 'counted', used: whole ? only! : { ...only!, ...day } };
  }
  const traffic = trafficOf(own.traffic, day);
  if (traffic.arrivedAtMs.length === 0 && counted.every(({ executed }) => executed === 0))
    return { basis: 'idle', used: idle(mode, own, day, facts) };
  const all = { ...mergedUsed(counted, day), mode };
  if (models === null || traffic.arrivedAtMs.length === 0)
    return { basis: 'estimated', used: withoutStarts(all) };
  const { used } = simulate(
    traffic,
    mode === 'function' ? models.function : serviceFor(traffic, models.service),
    seed,
  );
  // Who asked and how much passed the gateway is the same in either mode.
  const { internal, bytesIn, bytesOut } = all;
  return { basis: 'replayed', used: { ...used, internal, bytesIn, bytesOut } };
}

/** Without an autoscaler where it would have nothing to do: to ask it every second of a month would take longer than all the rest. */
function serviceFor(traffic: Traffic, model: ServiceModel): ServiceModel {
  if (!leastReplicasDo(traffic, model)) return model;
  return { ...model, settings: { ...model.settings, maxReplicas: model.settings.minReplicas } };
}

function trafficOf(traffic: Traffic, { fromMs, toMs }: Stretch): Traffic {
  const { arrivedAtMs, durationMs, cpuMs } = traffic;
  const [begin, end] = [firstFrom(arrivedAtMs, fromMs), firstFrom(arrivedAtMs, toMs)];
  return {
    component: traffic.component,
    fromMs,
    toMs,
    arrivedAtMs: arrivedAtMs.subarray(begin, end),
    durationMs: durationMs.subarray(begin, end),
    cpuMs: cpuMs.subarray(begin, end),
  };
}

/** The first index from which on nothing arrived before `atMs`. */
function firstFrom(arrivedAtMs: Float64Array, atMs: number): number {
  let low = 0;
  let high = arrivedAtMs.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (arrivedAtMs[middle]! < atMs) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** Starts are a function's own: whoever ran as a service has none to show. What is left had the same memory. */
function withoutStarts(used: Used): Used {
  const wholeMs = Math.max(0, used.wholeMs - used.startMs);
  const instances = { ...used.instances, started: 0, livedMs: 0, heldByteMs: 0, usedByteMs: null };
  return {
    ...used,
    cold: 0,
    startMs: 0,
    wholeMs,
    byteMs: used.wholeMs === 0 ? 0 : used.byteMs * (wholeMs / used.wholeMs),
    hundredsMs: null,
    instances,
  };
}

/** Of a service: its least replicas, which are there whether anything comes or not. */
function idle(mode: Mode, own: OwnComponent, day: Stretch, facts: UnitFacts | null): Used {
  const replicas = mode === 'service' ? (facts?.service.minReplicas ?? 1) : 0;
  const livedMs = replicas * (day.toMs - day.fromMs);
  const memoryBytes = facts?.[mode].memoryBytes ?? memoryOf(own.days);
  return {
    component: own.name,
    mode,
    ...day,
    executed: 0,
    internal: 0,
    refused: 0,
    cold: 0,
    wholeMs: 0,
    hundredsMs: 0,
    startMs: 0,
    byteMs: 0,
    cpuMs: 0,
    bytesIn: 0,
    bytesOut: 0,
    durations: [],
    instances: { started: 0, livedMs, heldByteMs: livedMs * memoryBytes, usedByteMs: null, cpuMs: 0 },
    load: [],
  };
}

function memoryOf(days: readonly Used[]): number {
  const sum = (of: (used: Used) => number): number => days.reduce((total, used) => total + of(used), 0);
  const livedMs = sum(({ instances }) => instances.livedMs);
  if (livedMs > 0) return sum(({ instances }) => instances.heldByteMs) / livedMs;
  const wholeMs = sum((used) => used.wholeMs);
  return wholeMs === 0 ? 0 : sum((used) => used.byteMs) / wholeMs;
}
