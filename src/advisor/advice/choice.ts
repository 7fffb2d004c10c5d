import type { Obstacle } from '../../model/advice.ts';
import type { Mode } from '../../model/app.ts';
import type { PerMode } from './request.ts';

/** More than this share refused is as bad as being too slow. */
export const MOST_REFUSED = 0.01;
const MODES: readonly Mode[] = ['function', 'service'];
/** A difference below that is none. */
export const TIE = 0.05;

export interface Candidate {
  /** Null: nobody sells it. */
  readonly perMonth: number | null;
  /** Of its own replay; null where nothing was executed. */
  readonly p99Ms: number | null;
  /** 0 to 1. */
  readonly refusedShare: number;
}

export type Choice =
  | { readonly mode: Mode; readonly because: 'cheapest' | 'tie' | 'objective' | 'only-possible' }
  | { readonly mode: null; readonly because: 'objective' | 'impossible' };

/**
 * Of the modes that are possible and, by their own replay, meet the objective the cheapest; of two that cost the same, within 5 %, the present
 * one, or where there is none a function. @param objectiveMs of the 99th percentile; null: none.
 */
export function choiceOf(
  candidates: PerMode<Candidate>,
  obstacles: readonly Obstacle[],
  present: Mode | null,
  objectiveMs: number | null,
): Choice {
  const possible = MODES.filter((mode) => isPossible(mode, candidates, obstacles));
  if (possible.length === 0) return { mode: null, because: 'impossible' };
  const meeting = possible.filter((mode) => meets(candidates[mode], objectiveMs));
  const [first] = meeting;
  if (first === undefined) return { mode: null, because: 'objective' };
  if (possible.length === 1) return { mode: first, because: 'only-possible' };
  const cost = (mode: Mode): number => candidates[mode].perMonth!;
  const cheaper: Mode = cost('function') <= cost('service') ? 'function' : 'service';
  const dearer = cost(otherThan(cheaper));
  const isTie = !(dearer > 0 && dearer - cost(cheaper) >= TIE * dearer);
  if (meeting.length === 1)
    return { mode: first, because: first === cheaper && !isTie ? 'cheapest' : 'objective' };
  if (!isTie) return { mode: cheaper, because: 'cheapest' };
  return { mode: present ?? 'function', because: 'tie' };
}

export function isPossible(
  mode: Mode,
  candidates: PerMode<Candidate>,
  obstacles: readonly Obstacle[],
): boolean {
  return (
    candidates[mode].perMonth !== null &&
    !obstacles.some((obstacle) => obstacle.mode === mode && obstacle.severity === 'impossible')
  );
}

export function otherThan(mode: Mode): Mode {
  return mode === 'function' ? 'service' : 'function';
}

function meets({ p99Ms, refusedShare }: Candidate, objectiveMs: number | null): boolean {
  return refusedShare <= MOST_REFUSED && (objectiveMs === null || p99Ms === null || p99Ms <= objectiveMs);
}
