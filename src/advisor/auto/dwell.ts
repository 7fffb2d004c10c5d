import type { AutoSettings } from '../../model/advice-facts.ts';

/** Dwells double with every switch that turned out wrong, up to this. */
const LONGEST_MS = 7 * 86_400_000;

/** The dwell after one that was too short. */
export function longerDwell(dwellMs: number, { windowMs }: AutoSettings): number {
  return Math.max(dwellMs, Math.min(LONGEST_MS, 2 * Math.max(dwellMs, windowMs)));
}
