import type { Reason } from '../../../model/advice.ts';
import { CRITERIA } from './criteria/criteria.ts';
import { contextOf, type ReasonContext } from './context.ts';
import type { ReasonInput } from './input.ts';

/**
 * One of each criterion, those first that decide. A criterion decides where the answer would be another if it were gone (a fact), or if it were
 * tenfold the other way (an amount). None where there is too little evidence for a verdict.
 */
export function reasonsOf(input: ReasonInput): Reason[] {
  if (input.verdict.kind === 'not-enough-evidence') return [];
  const context = contextOf(input);
  return Object.values(CRITERIA)
    .map((judge) => judge(context))
    .map((reason, rank) => ({ reason, weight: weightOf(reason, context), rank }))
    .toSorted((a, b) => a.weight - b.weight || a.rank - b.rank)
    .map(({ reason }) => reason);
}

/** The less, the earlier. */
function weightOf(
  { criterion, decisive, favours }: Reason,
  { chosen, verdict, obstacles }: ReasonContext,
): number {
  if (verdict.kind !== 'not-enough-evidence' && verdict.because === 'objective' && criterion === 'latency')
    return 0;
  if ('mode' in verdict && verdict.because === 'tie' && criterion === 'cost') return 0;
  const rulesOut = obstacles.some(
    (obstacle) =>
      obstacle.criterion === criterion && obstacle.severity === 'impossible' && obstacle.mode !== chosen,
  );
  if (rulesOut) return decisive ? 1 : 2;
  if (decisive) return favours === chosen ? 3 : 4;
  if (favours === null) return 7;
  return favours === chosen ? 5 : 6;
}
