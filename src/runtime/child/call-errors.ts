import { authorsFrames } from '../../base/author-stack.ts';
import { FulcrumError } from '../../base/errors.ts';
import { notMadeText } from '../../model/call-rules.ts';
import { fromThrown, readFailure } from '../wire/thrown.ts';
import type { Asking } from './caller.ts';

/** Frames of the caller that a stack from elsewhere is given. */
const MAX_CALLER_FRAMES = 5;

/** The payload of a FAILED as the error that it is for whoever has called. */
export function failureOf(payload: Buffer): Error {
  const { thrown, code, message, retryAfterS } = readFailure(payload, 'server');
  const error = thrown === null ? new FulcrumError(code, message) : fromThrown(thrown);
  if (typeof retryAfterS === 'number') Object.assign(error, { retryAfterS });
  return error;
}

/** What keeps a call from being made at all, such as arguments that cannot cross, as whoever calls is told of it: with callee and request. */
export function notMade(error: unknown, { member, scope }: Asking, to: string, called: string): unknown {
  if (!(error instanceof FulcrumError)) return error;
  const { code, message, cause } = error;
  const requestId = scope?.requestId ?? null;
  const text = notMadeText({ from: member.component, to, function: called, requestId }, message);
  return new FulcrumError(code, text, cause === undefined ? {} : { cause });
}

/**
 * An error that came from another component has that one's frames. Behind an `await`, V8 still knows who waits: those are the caller's,
 * and go below. Costs nothing where no call fails.
 */
export function withCaller(error: unknown): unknown {
  if (!(error instanceof Error) || typeof error.stack !== 'string') return error;
  const frames = authorsFrames(new Error('called here').stack ?? '').slice(0, MAX_CALLER_FRAMES);
  if (frames.length > 0) error.stack = `${error.stack}\n${frames.join('\n')}`;
  return error;
}
