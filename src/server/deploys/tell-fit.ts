import type { MachineBudget } from '../../scaling/machine-budget.ts';
import { modeFor } from '../../scaling/mode-settings.ts';
import { unfit } from '../../scaling/fit.ts';
import type { LiveRelease } from '../live-release.ts';
import type { Steps } from './steps.ts';

/** Tells which components may grow beyond what the machine has for them; nothing where none may. */
export function tellFit(
  release: Pick<LiveRelease, 'spec' | 'choice'>,
  budget: Pick<MachineBudget, 'status' | 'elasticBytes'>,
  steps: Pick<Steps, 'begin' | 'done'>,
): void {
  const { memoryBytes } = budget.status;
  const minimumBytes = memoryBytes - budget.elasticBytes;
  const told = unfit(release.spec, { memoryBytes, minimumBytes }, (name) => modeOf(release, name));
  if (told.length === 0) return;
  steps.begin('fit');
  steps.done('fit', told.map(({ text }) => text).join('; '));
}

function modeOf(release: Pick<LiveRelease, 'choice'>, name: string): 'service' | 'function' | null {
  const choice = release.choice(name);
  return choice === null ? null : modeFor(choice.chosen);
}
