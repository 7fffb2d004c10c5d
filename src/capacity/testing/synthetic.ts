// Series whose trend and shape are known, from a seeded generator.
import { DAY_MS, HOUR_MS, type HourlySeries } from '../forecast.ts';

/** A Monday. */
export const FROM_MS = Date.UTC(2026, 0, 5);

/** Numbers from 0 to 1, the same for the same seed (mulberry32). */
export function randomBy(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

export interface Synthetic {
  readonly days: number;
  readonly base: number;
  readonly growthPerDay: number;
  /** Of the day's swing, 0 to 1. */
  readonly swing: number;
  /** The hour (UTC) of the most. */
  readonly busiestHour: number;
  /** What a weekend has of a working day. */
  readonly weekend: number;
}

/** What the series holds without noise. */
export function truth({ base, growthPerDay, swing, busiestHour, weekend }: Synthetic, atMs: number): number {
  const day = Math.floor(atMs / DAY_MS);
  const hour = (atMs - day * DAY_MS) / HOUR_MS;
  const weekday = (day + 4) % 7;
  const shape = 1 + swing * Math.cos(((hour - busiestHour) / 12) * Math.PI);
  return (
    (base + growthPerDay * ((atMs - FROM_MS) / DAY_MS)) *
    shape *
    (weekday === 0 || weekday === 6 ? weekend : 1)
  );
}

/** @param noise 0.1: each hour is up to 10 % more or less than it should be. */
export function series(synthetic: Synthetic, noise: number, random: () => number): (number | null)[] {
  return Array.from(
    { length: synthetic.days * 24 },
    (_, i) => truth(synthetic, FROM_MS + i * HOUR_MS) * (1 + noise * (2 * random() - 1)),
  );
}

export function asSeries(values: readonly (number | null)[]): HourlySeries {
  return { fromMs: FROM_MS, values };
}
