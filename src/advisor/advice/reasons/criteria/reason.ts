import type { Criterion, Obstacle, Reason } from '../../../../model/advice.ts';
import type { Mode } from '../../../../model/app.ts';
import { changes } from '../changes.ts';
import type { ReasonContext } from '../context.ts';
import { otherMode } from '../words.ts';

/** What one criterion says of a component. */
export type Judge = (context: ReasonContext) => Reason;

type Some = Pick<Reason, 'measured' | 'sentence'> & Partial<Reason>;

/** A reason that favours neither mode and decides nothing, but for `some`. */
export function reason(criterion: Criterion, some: Some): Reason {
  return {
    criterion,
    value: null,
    threshold: '-',
    favours: null,
    difference: null,
    decisive: false,
    ...some,
  };
}

/** Where the mode that an obstacle is against would be the answer without it, it decides. */
export function obstructed(context: ReasonContext, obstacles: readonly Obstacle[], some: Some): Reason {
  const { criterion, mode } = obstacles[0]!;
  const against = new Set(obstacles.map((obstacle) => obstacle.mode));
  const turns = (each: Mode): boolean =>
    context.turns(`mended ${each} ${criterion}`, changes.mended(each, [criterion]));
  return reason(criterion, {
    favours: against.size === 1 ? otherMode(mode) : null,
    decisive: obstacles.some(({ severity, mode }) => severity === 'impossible' && turns(mode)),
    ...some,
  });
}

/** The obstacle's own words, and the first place of its evidence. */
export function wordsOf({ text, evidence }: Obstacle): string {
  return evidence.length === 0 ? text : `${text} ${ended(evidence[0]!)}`;
}

function ended(text: string): string {
  return /[.!?]$/.test(text) ? text : `${text}.`;
}
