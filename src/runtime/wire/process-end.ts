import { asFulcrumError, FulcrumError } from '../../base/errors.ts';
import type { InvocationEnd } from '../../model/invocation.ts';
import type { ProcessEnd } from '../process/managed-process.ts';

/** `exit code 1`, `SIGKILL`. */
export function describeEnd(end: ProcessEnd): string {
  return end.signal ?? `exit code ${end.exitCode ?? 0}`;
}

/** What the invocations are told that were in flight when their process ended. */
export function endError(end: ProcessEnd, lastOutput: string, why: string | null): FulcrumError {
  const details = { exitCode: end.exitCode, signal: end.signal };
  if (ranOutOfHeap(end, lastOutput)) {
    const message =
      'The instance ran out of memory: its JavaScript heap was full. Raise `memory`, or hold less at a time.';
    return new FulcrumError('memory-exceeded', message, { details });
  }
  const because = why === null ? describeEnd(end) : `${why}; ${describeEnd(end)}`;
  return new FulcrumError('instance-crashed', `The instance ended during the request (${because}).`, {
    details,
  });
}

const ABORTS: ReadonlySet<string | null> = new Set(['SIGABRT', 'SIGTRAP', 'SIGSEGV', 'SIGILL']);

/**
 * V8 ends the process by SIGABRT when its heap is full; only its last words tell that from another abort. The first of a process tree is
 * not killed by its own SIGABRT, and ends by the instruction that the C library has behind it.
 */
export function ranOutOfHeap(end: ProcessEnd, lastOutput: string): boolean {
  const aborted = end.exitCode === 134 || ABORTS.has(end.signal);
  return aborted && lastOutput.includes('JavaScript heap out of memory');
}

/** The end of an invocation that was over before it reached the instance. */
export function refusedByInstance(reason: unknown): InvocationEnd {
  const error = asFulcrumError(reason);
  return { outcome: error.code === 'timeout' ? 'timeout' : 'cancelled', error, cpuMs: 0 };
}
