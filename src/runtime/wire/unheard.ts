import type { Clock } from '../../base/clock.ts';
import { FulcrumError } from '../../base/errors.ts';
import type { InvocationContext, Outcome } from '../../model/invocation.ts';

/** Why nobody waits for an invocation's answer any more although its handler may go on. */
export interface GivenUp {
  readonly outcome: Outcome;
  readonly error: FulcrumError;
}

/** How long a handler that was told to end has at least, where its deadline is near or does not hold any more. */
const MIN_UNHEARD_MS = 1_000;

/**
 * Whether an abort is the end, and not only word to the handler that it should end: its instance has been given all the
 * time there was. After any other abort the handler holds its slot until it is over.
 */
export function endsAtOnce(reason: FulcrumError): boolean {
  return reason.code === 'timeout' || reason.code === 'shutting-down';
}

/**
 * How long to wait for a handler that nobody waits for. The dispatcher looks after the deadline itself; this bounds what it
 * no longer watches: answers of services that had begun.
 */
export function unheardMs(context: InvocationContext, clock: Clock): number {
  return Math.max(context.deadlineMs - clock.monotonicMs(), MIN_UNHEARD_MS);
}

export function outlasted(): FulcrumError {
  return new FulcrumError(
    'timeout',
    'The invocation was given up, and the handler went on beyond its timeout all the same.',
  );
}
