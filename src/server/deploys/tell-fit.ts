import type { MachineBudget } from '../../scaling/machine-budget.ts';
import { modeOf as meant } from '../../scaling/mode-settings.ts';
import { noSuccessor, unfit } from '../../scaling/fit.ts';
import type { LiveRelease } from '../live-release.ts';
import type { Steps } from './steps.ts';

/** Tells which components may grow beyond what the machine has for them, and whether the next release has room; nothing where all do. */
export function tellFit(
  release: Pick<LiveRelease, 'spec' | 'choice'>,
  budget: Pick<MachineBudget, 'status' | 'elasticBytes'>,
  steps: Pick<Steps, 'begin' | 'done'>,
  isCanary: boolean,
): void {
  const { memoryBytes } = budget.status;
  const minimumBytes = memoryBytes - budget.elasticBytes;
  const machine = { memoryBytes, minimumBytes };
  const mode = (name: string): ReturnType<typeof modeOf> => modeOf(release, name);
  // With a canary's promotion what it stands beside now goes, and makes room.
  const next = isCanary ? [] : noSuccessor(release.spec, machine, mode);
  const told = [...unfit(release.spec, machine, mode), ...next];
  if (told.length === 0) return;
  steps.begin('fit');
  steps.done('fit', told.map(({ text }) => text).join('; '));
}

function modeOf(release: Pick<LiveRelease, 'choice'>, name: string): 'service' | 'function' | null {
  const choice = release.choice(name);
  return choice === null ? null : meant(choice);
}
