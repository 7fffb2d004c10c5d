import type { Clock } from '../base/clock.ts';
import { FulcrumError } from '../base/errors.ts';
import { peakConcurrency } from '../capacity/concurrency.ts';
import { joinedHours } from '../capacity/demand.ts';
import {
  capacityReport,
  withOthersCoarse,
  type ComponentInput,
  type LimitedInput,
  type Machine,
} from '../capacity/report.ts';
import { UsageHistory } from '../meter/usage-history.ts';
import type { CapacityReader, CapacityReport } from '../model/capacity.ts';
import type { Arrival, UsageHour, UsageHours, UsageMinute, UsageStore } from '../model/usage-store.ts';
import { membersOf, unitsOf } from '../model/units.ts';
import type { Turns } from '../scaling/turns.ts';
import type { UsageMeter } from '../meter/usage-meter.ts';
import type { AppLimits } from '../scaling/limits/app-limits.ts';
import type { LiveRelease } from './live-release.ts';

const MINUTE_MS = 60_000;
const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
/** The store sums up so much at a time, a week and the present hour: some 20 ms of its thread, between which usage is written. */
const STEP_MS = 7 * DAY_MS + HOUR_MS;
const CACHED_MS = 60_000;
/** Of different numbers of days, and for different readers. */
const MAX_CACHED = 4;
/** Rows of the busiest hour; there are as many to a minute as it had modes, outcomes and revisions. */
const MAX_MINUTES = 2_000;
/** To decode and sort them takes some 10 ms. Where there are more, the mean is as good: the more there are, the less chance moves them. */
const MAX_ARRIVALS = 20_000;
/** What ran into the busiest minute began before it: so long, by how long invocations take. */
const LONG_MS = 20_000;
const BEFORE_MS = { short: MINUTE_MS, long: 15 * MINUTE_MS };
/** Fewer of what the minute counted means that some were not logged, or are deleted. */
const COMPLETE = 0.95;

/** What it asks of a running app. */
export interface MeasuredApp {
  readonly id: string;
  readonly serving: LiveRelease | null;
  readonly meter: Pick<UsageMeter, 'lastMinute'>;
  /** What holds, which need not be what the config says. */
  readonly limits: Pick<AppLimits, 'of'>;
}

export interface AppCapacityOptions {
  readonly app: MeasuredApp;
  readonly usage: UsageStore & UsageHours;
  readonly clock: Clock;
  /** Read when a report is made. */
  readonly machine: () => Machine;
  /** Reports of all apps of a server are made one after the other: they are no reason to hurry. */
  readonly turns: Turns;
}

interface Cached {
  readonly atMs: number;
  readonly report: Promise<CapacityReport>;
}

/** Reads an app's usage and has `capacity` make a report of it. Bounded in work, never for long at a time, and kept for a minute. */
export class AppCapacity {
  readonly #o: AppCapacityOptions;
  readonly #history: UsageHistory;
  readonly #cached = new Map<string, Cached>();

  constructor(o: AppCapacityOptions) {
    this.#o = o;
    this.#history = new UsageHistory(o.app.id, o.usage);
  }

  /** From the usage of the last `days`, for whoever may know of all apps or of this one only. Rejects with `store-failed`, and `shutting-down` where nothing serves. */
  report(days: number, reader: CapacityReader = 'server'): Promise<CapacityReport> {
    const wanted = `${days} ${reader}`;
    const atMs = this.#o.clock.monotonicMs();
    for (const [key, cached] of this.#cached) if (atMs - cached.atMs >= CACHED_MS) this.#cached.delete(key);
    const known = this.#cached.get(wanted);
    if (known !== undefined) return known.report;
    const oldest = this.#cached.keys().next();
    if (this.#cached.size >= MAX_CACHED) this.#cached.delete(oldest.value!);
    const cached = { atMs, report: this.#make(days, reader) };
    this.#cached.set(wanted, cached);
    const drop = (): void => {
      if (this.#cached.get(wanted) === cached) this.#cached.delete(wanted);
    };
    // Whoever is told that nothing has been measured makes a request, and asks again.
    cached.report.then((report) => {
      if (report.components.every(({ room }) => room.kind !== 'measured')) drop();
    }, drop);
    return cached.report;
  }

  /** What it is made of has been changed, by hand or by a deploy: whoever asks next is told of what is so then. */
  forget(): void {
    this.#cached.clear();
  }

  async #make(days: number, reader: CapacityReader): Promise<CapacityReport> {
    const endTurn = await this.#o.turns.take();
    try {
      return await this.#read(days, reader);
    } finally {
      endTurn();
    }
  }

  async #read(days: number, reader: CapacityReader): Promise<CapacityReport> {
    const { app, clock, machine } = this.#o;
    const release = app.serving;
    if (release === null)
      throw new FulcrumError('shutting-down', 'The app has not started yet.', { retryAfterS: 1 });
    const nowMs = clock.nowMs();
    const toMs = Math.floor(nowMs / HOUR_MS) * HOUR_MS;
    const read: Pick<ComponentInput, 'spec' | 'hours' | 'present' | 'peakConcurrency' | 'components'>[] = [];
    for (const spec of unitsOf(release.spec)) {
      const components: LimitedInput[] = [];
      for (const name of membersOf(spec)) {
        const known = await this.#hours(name, toMs - days * DAY_MS, toMs + HOUR_MS);
        const present = known.find(({ hourMs }) => hourMs === toMs) ?? null;
        const hours = known.filter(({ hourMs }) => hourMs < toMs);
        components.push({ name, hours, present, limits: app.limits.of(name).holds });
      }
      const hours = joinedHours(components.map((one) => one.hours));
      const [present = null] = joinedHours(
        components.map((one) => (one.present === null ? [] : [one.present])),
      );
      const peakConcurrency = await this.#peakConcurrency(membersOf(spec), hours);
      read.push({ spec, hours, present, components, peakConcurrency });
    }
    // After all that was waited for, so that it is of one moment, and of now.
    const statuses = new Map(release.scaler.status().map((status) => [status.name, status]));
    const components = read.flatMap((one): ComponentInput[] => {
      const { mode, instances } = statuses.get(one.spec.name) ?? {};
      // A deploy may have taken it away meanwhile.
      if (mode === undefined || mode === null || instances === undefined) return [];
      const minutes = membersOf(one.spec).map((name) => app.meter.lastMinute(name));
      const count = total(minutes, (minute) => minute.count);
      const cpuMs = total(minutes, (minute) => minute.cpuMs);
      const memoryBytes = total(instances, ({ mode: its }) => one.spec[its].memoryBytes);
      const now = { rps: count / 60, cpuCores: cpuMs / MINUTE_MS, instances: instances.length, memoryBytes };
      // Those that hold now, and not when it was begun.
      const limited = one.components.map((its) => ({ ...its, limits: app.limits.of(its.name).holds }));
      return [{ ...one, components: limited, mode, now }];
    });
    const { environment } = release.spec;
    const has = machine();
    const told = reader === 'app' ? withOthersCoarse(has, components) : has;
    const making = capacityReport({ app: app.id, environment, nowMs, machine: told, components });
    for (;;) {
      const step = making.next();
      if (step.done === true) return step.value;
      await letOthers();
    }
  }

  async #hours(component: string, fromMs: number, toMs: number): Promise<UsageHour[]> {
    const { app, usage } = this.#o;
    const hours: UsageHour[] = [];
    for (let atMs = fromMs; atMs < toMs; atMs += STEP_MS) {
      const query = { app: app.id, component, fromMs: atMs, toMs: Math.min(atMs + STEP_MS, toMs) };
      hours.push(...(await usage.hours(query)));
    }
    return hours;
  }

  /** Counted in the busiest minute of components that share their instances; null where that cannot be told exactly. */
  async #peakConcurrency(components: readonly string[], hours: readonly UsageHour[]): Promise<number | null> {
    if (hours.length === 0) return null;
    const hour = hours.reduce((best, one) => (one.minuteWorkMs > best.minuteWorkMs ? one : best));
    const minute = await this.#busiestMinute(components, hour.hourMs);
    if (minute === null || minute.served > MAX_ARRIVALS) return null;
    const { minuteMs, served } = minute;
    const meanMs = served === 0 ? 0 : minute.workMs / served;
    const fromMs = minuteMs - (meanMs > LONG_MS ? BEFORE_MS.long : BEFORE_MS.short);
    const toMs = minuteMs + MINUTE_MS;
    try {
      let arrivals: Arrival[] = [];
      for (const component of components)
        arrivals = arrivals.concat(await this.#history.arrivals({ component, fromMs, toMs }, MAX_ARRIVALS));
      const kept = arrivals.filter(({ arrivedAtMs, refused }) => !refused && arrivedAtMs >= minuteMs).length;
      return kept < COMPLETE * served ? null : peakConcurrency(arrivals, minuteMs, toMs);
    } catch (error) {
      if (error instanceof FulcrumError && error.code === 'bad-request') return null;
      throw error;
    }
  }

  async #busiestMinute(
    components: readonly string[],
    hourMs: number,
  ): Promise<{ minuteMs: number; served: number; workMs: number } | null> {
    const items: UsageMinute[] = [];
    for (const component of components) items.push(...(await this.#minutes(component, hourMs)));
    // What is folded tells of no minute.
    if (items.some(({ spanMs }) => spanMs > MINUTE_MS)) return null;
    const minutes = [...Map.groupBy(items, ({ minuteMs }) => minuteMs)].map(([minuteMs, parts]) => ({
      minuteMs,
      served: total(parts, ({ outcome, count }) => (outcome === 'refused' ? 0 : count)),
      workMs: total(parts, ({ startMs, durationMs }) => startMs + durationMs),
    }));
    return minutes.length === 0 ? null : minutes.reduce((a, b) => (b.workMs > a.workMs ? b : a));
  }

  async #minutes(component: string, hourMs: number): Promise<readonly UsageMinute[]> {
    const range = { fromMs: hourMs, toMs: hourMs + HOUR_MS, limit: MAX_MINUTES, after: null };
    return (await this.#o.usage.minutes({ app: this.#o.app.id, component, ...range })).items;
  }
}

function total<T>(parts: readonly T[], of: (part: T) => number): number {
  return parts.reduce((sum, part) => sum + of(part), 0);
}

function letOthers(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
