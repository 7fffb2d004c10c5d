import { formatDuration } from '../../base/duration.ts';
import { FulcrumError } from '../../base/errors.ts';
import type { CodeRevision } from '../../model/revision.ts';
import { startFailed } from '../wire/introduce.ts';

export function tooSlow(revision: CodeRevision, timeoutMs: number): FulcrumError {
  const why = `${revision.kind === 'group' ? 'its modules were' : 'its module was'} not loaded within ${formatDuration(timeoutMs)}; move slow work from ${revision.kind === 'group' ? 'their' : 'its'} top level into ${revision.kind === 'group' ? 'their' : 'its'} handlers`;
  return startFailed(revision, why);
}

export function givenUp(revision: CodeRevision, reason: unknown): FulcrumError {
  const message = `The start of the ${revision.kind === 'group' ? 'group' : 'component'} ${revision.spec.name} was given up.`;
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
