import { formatDuration } from '../../base/duration.ts';
import { FulcrumError } from '../../base/errors.ts';
import type { ModuleRevision } from '../../model/revision.ts';
import { startFailed } from '../wire/introduce.ts';

export function tooSlow(revision: ModuleRevision, timeoutMs: number): FulcrumError {
  const why = `its module was not loaded within ${formatDuration(timeoutMs)}; move slow work from its top level into its handlers`;
  return startFailed(revision.spec.name, why);
}

export function givenUp(revision: ModuleRevision, reason: unknown): FulcrumError {
  const message = `The start of the component ${revision.spec.name} was given up.`;
  return new FulcrumError('start-failed', message, { cause: reason });
}

/** The error of a start, with what its process said last. */
export function withOutput(error: FulcrumError, output: string): FulcrumError {
  // Nothing that it said has to do with that.
  if (error.code === 'resources-exhausted') return error;
  const stack = error.details['stack'];
  const whole = typeof stack === 'string' ? `${stack}\n${output}`.trim() : output;
  return new FulcrumError(error.code, error.message, {
    cause: error.cause ?? error,
    details: { output: whole },
  });
}
