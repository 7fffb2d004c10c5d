import type { UnitFacts } from '../../model/advice-facts.ts';
import type { Mode } from '../../model/app.ts';
import { LEAST_STARTS } from './models-of-facts.ts';

/**
 * A unit that has seldom been started starts as the others do on this machine, programs as programs and modules as modules: the engine's published
 * times are those of another machine.
 */
export function withBorrowedStarts(all: readonly UnitFacts[]): UnitFacts[] {
  return all.map((facts) => {
    const alike = all.filter(({ kind }) => (kind === 'command') === (facts.kind === 'command'));
    const startsOf = (mode: Mode): readonly number[] =>
      facts.startsMs[mode].length >= LEAST_STARTS
        ? facts.startsMs[mode]
        : alike.flatMap((one) => one.startsMs[mode]);
    return { ...facts, startsMs: { function: startsOf('function'), service: startsOf('service') } };
  });
}
