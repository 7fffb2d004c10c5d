import { FulcrumError } from '../../base/errors.ts';
import type { CanaryPlan } from '../../model/app-record.ts';

const MOST_STEPS = 20;
const LEAST_EVERY_MS = 1_000;
const MOST_EVERY_MS = 7 * 24 * 3_600_000;

/** Throws `bad-request` where a canary cannot be carried out as `plan` asks. */
export function checkCanaryPlan({ steps, everyMs, maxErrors }: CanaryPlan): void {
  const wrong = (what: string): never => {
    throw new FulcrumError('bad-request', `The canary cannot be done: ${what}.`);
  };
  if (steps.length === 0 || steps.length > MOST_STEPS)
    wrong(`it has 1 to ${MOST_STEPS} steps, not ${steps.length}`);
  for (const [index, step] of steps.entries()) {
    if (!(step > 0 && step < 100)) wrong(`a step is above 0 and below 100 percent, not ${step}`);
    if (index > 0 && step <= steps[index - 1]!)
      wrong(`steps rise; ${step} % comes after ${steps[index - 1]} %`);
  }
  if (!(everyMs >= LEAST_EVERY_MS && everyMs <= MOST_EVERY_MS))
    wrong('a step lasts from one second to seven days');
  if (!(maxErrors >= 0 && maxErrors <= 1)) wrong(`the share of errors is 0 to 1, not ${maxErrors}`);
}
