/**
 * Where an hourly series goes: a level that changes by a straight line from day to day, times the shape of a day.
 *
 *   value(t) = level(day of t) × shape(hour of t, working day or weekend)
 *
 * The level's line is robust (`trend.ts`), the shape is the median over days, so that neither a spike nor an outage moves them. The band is
 * of what the line left unexplained at that hour of the day and its neighbours, 80 % of it, and of how uncertain the line is, which
 * grows with the distance.
 *
 * Worked example: 10 days, each hour h of day d holds (100 + 10 d) × s(h), s(12) = 2. Level and shape come out as they went in; the
 * noon of day 10 is expected at 400, and a limit of 500 is reached at the noon of day 15.
 *
 * Hours are UTC: where clocks change twice a year a forecast across the change is an hour off. Holidays are not known.
 */
import type { Reach } from '../model/capacity.ts';
import { byValue, median, quantileOfSorted, theilSen, type Point, type Trend } from './trend.ts';

export const HOUR_MS = 3_600_000;
export const DAY_MS = 24 * HOUR_MS;
const HORIZON_MS = 365 * DAY_MS;
/** With fewer days nothing is foretold: one cannot tell a trend from a day's whim. */
const LEAST_DAYS = 3;
/** So many hours make a day that counts. */
const HOURS_OF_A_DAY = 12;
/** From so many days on weekends have a shape of their own: both kinds of day have come twice. */
export const WEEKEND_DAYS = 14;
const ROUNDS = 3;
/** Where the line comes near zero, shapes are not divided by it. */
const LEAST_LEVEL = 0.05;
/** Values below are nothing, and above as much as this: parts of numbers further apart than that are no numbers any more. */
const LEAST_VALUE = 1e-9;
const MOST_VALUE = 1e18;
/** A day's level is told from its hours where those usually hold so much of the day. */
const LEAST_COVER = 0.25;

export interface HourlySeries {
  /** UTC, the start of an hour. */
  readonly fromMs: number;
  /** One for each hour, not negative; null where nothing is known. */
  readonly values: readonly (number | null)[];
}

export interface Prediction {
  readonly low: number;
  readonly expected: number;
  readonly high: number;
}

export class Forecast {
  readonly #trend: Trend;
  readonly #shapes: readonly (readonly number[])[];
  readonly #rest: readonly HourRest[];
  readonly #floor: number;
  readonly #mostShape: number;
  readonly #mostRest: number;

  /** Null where there are fewer than three days of values. */
  static of(series: HourlySeries): Forecast | null {
    const hours = knownHours(series);
    const days = Map.groupBy(hours, ({ day }) => day);
    const whole = [...days.values()].filter((those) => those.length >= HOURS_OF_A_DAY);
    if (whole.length < LEAST_DAYS) return null;
    return new Forecast(hours, [...days.values()], whole);
  }

  private constructor(hours: readonly Hour[], days: readonly Hour[][], whole: readonly Hour[][]) {
    const last = days.at(-1)![0]!.day;
    const byKind = last - days[0]![0]!.day + 1 >= WEEKEND_DAYS;
    let levels = whole.map((those) => ({ x: those[0]!.day, y: mean(those) }));
    const usual = median(levels.map(({ y }) => y)) || Math.max(...levels.map(({ y }) => y));
    this.#floor = LEAST_LEVEL * usual;
    let trend = theilSen(levels);
    let shapes = this.#shapesOf(hours, trend, byKind);
    for (let round = 1; round < ROUNDS; round++) {
      levels = levelsOf(days, shapes);
      if (levels.length < LEAST_DAYS) break;
      trend = theilSen(levels);
      shapes = this.#shapesOf(hours, trend, byKind);
    }
    this.#trend = trend;
    this.#shapes = shapes;
    this.#rest = this.#restOf(hours);
    this.#mostShape = Math.max(...shapes.flat());
    this.#mostRest = Math.max(...this.#rest.map(({ above }) => above));
  }

  /** Of the level, in the series' unit per day. */
  get slope(): number {
    return this.#trend.slope;
  }

  /** What the hour that `atMs` lies in is expected to hold. */
  at(atMs: number): Prediction {
    const hourMs = Math.floor(atMs / HOUR_MS) * HOUR_MS;
    const day = Math.floor(hourMs / DAY_MS);
    const hour = (hourMs - day * DAY_MS) / HOUR_MS;
    const { slope, slopeLow, slopeHigh, middleX, middleY, middleError } = this.#trend;
    const away = day - middleX;
    const level = Math.max(0, middleY + slope * away);
    const shape = this.#shapes[kindOf(day)]![hour]!;
    const rest = this.#rest[hour]!;
    const scale = Math.max(level, this.#floor);
    const above = Math.max((slopeHigh - slope) * away, (slopeLow - slope) * away);
    const below = Math.max((slope - slopeLow) * away, (slope - slopeHigh) * away);
    const expected = level * shape;
    return {
      low: Math.max(0, expected - Math.hypot(rest.below * scale, shape * below, shape * middleError)),
      expected,
      high: expected + Math.hypot(rest.above * scale, shape * above, shape * middleError),
    };
  }

  /** When an hour from `fromMs` on first holds `limit` or more, within a year. */
  reaches(limit: number, fromMs: number): Reach {
    let earlyMs: number | null = null;
    let expectedMs: number | null = null;
    let lateMs: number | null = null;
    for (let atMs = fromMs; atMs < fromMs + HORIZON_MS && lateMs === null;) {
      const nextDayMs = (Math.floor(atMs / DAY_MS) + 1) * DAY_MS;
      // Nearly all days of a year are far from the limit, and this is a twentieth of looking at their hours.
      if (this.#mostOf(nextDayMs - DAY_MS) < limit) {
        atMs = nextDayMs;
        continue;
      }
      const { low, expected, high } = this.at(atMs);
      if (high >= limit) earlyMs ??= atMs;
      if (expected >= limit) expectedMs ??= atMs;
      if (low >= limit) lateMs ??= atMs;
      atMs += HOUR_MS;
    }
    if (expectedMs !== null && expectedMs < fromMs + DAY_MS) return { kind: 'reached' };
    if (expectedMs !== null) return { kind: 'expected', earlyMs: earlyMs ?? expectedMs, expectedMs, lateMs };
    if (earlyMs !== null) return { kind: 'possible', earlyMs };
    return { kind: this.#trend.slopeHigh < 0 ? 'falling' : 'none' };
  }

  /** What no hour of the day goes above. */
  #mostOf(dayMs: number): number {
    const day = dayMs / DAY_MS;
    const { middleX, slope, slopeLow, slopeHigh, middleY, middleError } = this.#trend;
    const away = day - middleX;
    const level = Math.max(0, middleY + slope * away);
    const shape = this.#mostShape;
    const above = Math.max((slopeHigh - slope) * away, (slopeLow - slope) * away);
    const rest = this.#mostRest * Math.max(level, this.#floor);
    return (level * shape + Math.hypot(rest, shape * above, shape * middleError)) * (1 + 1e-9);
  }

  #level(day: number, { slope, middleX, middleY }: Trend): number {
    return Math.max(middleY + slope * (day - middleX), this.#floor);
  }

  /** For working days and weekends: by hour the median over days of what part of the day's level it held. */
  #shapesOf(hours: readonly Hour[], trend: Trend, byKind: boolean): number[][] {
    const parts = [0, 1].map(() => Array.from({ length: 24 }, (): number[] => []));
    for (const { day, hour, value } of hours) {
      const level = this.#level(day, trend);
      parts[byKind ? kindOf(day) : 0]![hour]!.push(level === 0 ? 0 : value / level);
    }
    const own = parts.map((kind) => kind.map((those) => (those.length === 0 ? null : median(those))));
    const shape = (kind: number): number[] =>
      Array.from({ length: 24 }, (_, hour) => own[kind]![hour] ?? own[1 - kind]![hour] ?? 1);
    return [shape(0), shape(1)];
  }

  /** By hour of the day, what was left unexplained, as a part of the level: with that of the hours beside it, or there would be too few. */
  #restOf(hours: readonly Hour[]): HourRest[] {
    const rest = Array.from({ length: 24 }, (): number[] => []);
    for (const { day, hour, value } of hours) {
      const level = this.#level(day, this.#trend);
      if (level > 0) rest[hour]!.push(value / level - this.#shapes[kindOf(day)]![hour]!);
    }
    return rest.map((_, hour) => {
      const near = [23, 0, 1].flatMap((step) => rest[(hour + step) % 24]!).sort(byValue);
      // The more of them, the nearer the quantile comes to what it estimates.
      const tail = Math.max(0, (0.1 * (near.length + 1) - 1) / Math.max(1, near.length - 1));
      return {
        below: Math.max(0, -quantileOfSorted(near, tail)),
        above: Math.max(0, quantileOfSorted(near, 1 - tail)),
      };
    });
  }
}

/** As parts of the level. */
interface HourRest {
  readonly below: number;
  readonly above: number;
}

interface Hour {
  /** Since 1970. */
  readonly day: number;
  readonly hour: number;
  readonly value: number;
}

function knownHours({ fromMs, values }: HourlySeries): Hour[] {
  const first = Math.floor(fromMs / HOUR_MS);
  return values.flatMap((value, i) =>
    value === null || !Number.isFinite(value)
      ? []
      : [{ day: Math.floor((first + i) / 24), hour: (first + i) % 24, value: sane(value) }],
  );
}

/** Each day's level from the hours that are known of it, whatever part of the day those are. */
function levelsOf(days: readonly Hour[][], shapes: readonly (readonly number[])[]): Point[] {
  return days.flatMap((those) => {
    const shape = shapes[kindOf(those[0]!.day)]!;
    const usual = shape.reduce((sum, part) => sum + part, 0);
    const known = those.reduce((sum, { hour }) => sum + shape[hour]!, 0);
    if (usual === 0) return those.length < HOURS_OF_A_DAY ? [] : [{ x: those[0]!.day, y: mean(those) }];
    if (known < LEAST_COVER * usual) return [];
    return [{ x: those[0]!.day, y: those.reduce((sum, { value }) => sum + value, 0) / known }];
  });
}

function sane(value: number): number {
  return value < LEAST_VALUE ? 0 : Math.min(value, MOST_VALUE);
}

function mean(hours: readonly Hour[]): number {
  return hours.reduce((sum, { value }) => sum + value, 0) / hours.length;
}

/** 0 for a working day, 1 for a weekend. 1970 began with a Thursday. */
function kindOf(day: number): 0 | 1 {
  const weekday = (((day + 4) % 7) + 7) % 7;
  return weekday === 0 || weekday === 6 ? 1 : 0;
}
