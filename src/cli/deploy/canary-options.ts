import { parseDuration } from '../../base/duration.ts';
import { FulcrumError } from '../../base/errors.ts';
import type { CanaryPlan } from '../../model/app-record.ts';

export interface CanaryOptions {
  /** `1%,10%,50%`. */
  readonly canary?: string;
  readonly every?: string;
  /** `1%`. */
  readonly maxErrors?: string;
}

const DEFAULT_EVERY = '2m';
const DEFAULT_MAX_ERRORS = '1%';
const MOST_STEPS = 20;

/** What the command line asks for; null for all the traffic at once. Throws `usage`. */
export function canaryPlan({ canary, every, maxErrors }: CanaryOptions): CanaryPlan | null {
  if (canary === undefined) {
    if (every === undefined && maxErrors === undefined) return null;
    throw new FulcrumError(
      'usage',
      '--every and --max-errors belong to --canary, such as `--canary 1%,10%,50%`.',
    );
  }
  const steps = canary.split(',').map((text) => percent('--canary', text));
  if (steps.length > MOST_STEPS)
    throw new FulcrumError('usage', `--canary takes at most ${MOST_STEPS} steps.`);
  if (steps.some((step, i) => step <= 0 || step >= 100 || step <= (steps[i - 1] ?? 0))) {
    throw new FulcrumError(
      'usage',
      `--canary takes percentages that rise, above 0% and below 100%, such as 1%,10%,50%. It was '${canary}'.`,
    );
  }
  const everyMs = parseDuration(every ?? DEFAULT_EVERY);
  if (everyMs === null || everyMs < 1_000) {
    throw new FulcrumError(
      'usage',
      `--every takes a duration of a second or more, such as 2m. It was '${every}'.`,
    );
  }
  const share = percent('--max-errors', maxErrors ?? DEFAULT_MAX_ERRORS) / 100;
  if (share > 1) throw new FulcrumError('usage', `--max-errors takes at most 100%. It was '${maxErrors}'.`);
  return { steps, everyMs, maxErrors: share };
}

function percent(option: string, text: string): number {
  const digits = /^\s*(\d{1,3}(?:\.\d{1,4})?)%?\s*$/.exec(text)?.[1];
  if (digits === undefined) {
    throw new FulcrumError('usage', `${option} takes percentages, such as 10%. '${text.trim()}' is none.`);
  }
  return Number(digits);
}
