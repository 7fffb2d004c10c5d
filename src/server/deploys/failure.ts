import { asFulcrumError, FulcrumError } from '../../base/errors.ts';
import type { LogEntry } from '../../model/log.ts';
import type { Release, ReleaseFailure } from '../../model/release.ts';
import { SecretMask } from '../../secrets/mask.ts';
import type { Prepared } from '../prepare.ts';
import { secretValues } from '../secret-values.ts';

const MOST_LINES = 50;
const MOST_LINE_CHARS = 500;
const MOST_MESSAGE_CHARS = 4_000;

export interface FailureParts {
  readonly error: unknown;
  /** The component that did not start; null where it was none of them. */
  readonly component: string | null;
  /** What it wrote since it was started. */
  readonly log: readonly LogEntry[];
  /** Null where it did not come so far. */
  readonly prepared: Prepared | null;
}

/** What is kept and told of a release that did not come up: bounded, and without the values of secrets, whatever its components print. */
export function failureOf({ error, component, log, prepared }: FailureParts): ReleaseFailure {
  const { code, message, details } = asFulcrumError(error);
  const hide = hiding(prepared);
  const own = log.filter((entry) => entry.stream !== 'platform').map(({ text }) => text);
  const last = details['output'];
  const output = own.length > 0 ? own : typeof last === 'string' ? [last] : [];
  return {
    code,
    message: hide(message).slice(0, MOST_MESSAGE_CHARS),
    component,
    log: output
      .flatMap((text) => text.split('\n'))
      .filter((line) => line !== '')
      .slice(-MOST_LINES)
      .map((line) => hide(line).slice(0, MOST_LINE_CHARS)),
  };
}

/** The same as an error of the deploy. */
export function deployFailed(
  app: string,
  release: Release,
  failure: ReleaseFailure,
  cause: unknown,
): FulcrumError {
  return new FulcrumError(
    'deploy-failed',
    `Release ${release.number} of ${app} did not come up: ${failure.message}`,
    { cause, details: { ...failure, release: release.number } },
  );
}

function hiding(prepared: Prepared | null): (text: string) => string {
  const mask = new SecretMask();
  if (prepared !== null) mask.learn(secretValues(prepared));
  return (text) => mask.hide(text);
}

const TOLD_AS_THEY_ARE: ReadonlySet<string> = new Set([
  'config-invalid',
  'manifest-invalid',
  'secret-missing',
  'machine-full',
  'store-failed',
  'shutting-down',
]);

/** Whether it is for whoever deploys to mend, before anything is started, or nobody's fault who deploys. */
export function isToldAsItIs(error: unknown): boolean {
  return error instanceof FulcrumError && TOLD_AS_THEY_ARE.has(error.code);
}
