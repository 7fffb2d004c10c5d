/** Why a unit takes no invocation, or has no instance for it, in words. */
import { formatBytes } from '../base/bytes.ts';
import { FulcrumError } from '../base/errors.ts';
import type { UnitSpec } from '../model/app.ts';
import { namedOf, titleOf } from './title-of.ts';

type Named = Pick<UnitSpec, 'kind' | 'name'>;

export function closing(): FulcrumError {
  return new FulcrumError('shutting-down', 'The server is shutting down and takes no more work.', {
    retryAfterS: 1,
  });
}

export function noRoomEver(spec: Named, memoryBytes: number): FulcrumError {
  return new FulcrumError(
    'machine-full',
    `An instance of ${namedOf(spec)} may hold ${formatBytes(memoryBytes)}, and the services leave less than that to functions. Lower \`memory\`, or give the server a larger --memory-budget.`,
    { retryAfterS: 60 },
  );
}

/** @param error of its last start. @param waitMs until it is tried again. */
export function notStarted(spec: Named, error: FulcrumError | null, waitMs: number): FulcrumError {
  return new FulcrumError('start-failed', error?.message ?? `${titleOf(spec)} could not be started.`, {
    cause: error,
    details: error?.details ?? {},
    retryAfterS: Math.max(1, Math.ceil(waitMs / 1_000)),
  });
}

/** @param how known of the instance's end; null: nothing but that it came at once. */
export function endedAtOnce(spec: Named, how: string | null): FulcrumError {
  const why = how === null ? '' : ` (${how})`;
  return new FulcrumError(
    'start-failed',
    `${titleOf(spec)} could not be started: an instance ended right after its start${why}.`,
  );
}

export function tooLarge(spec: Named, holdsBytes: number, memoryBytes: number): FulcrumError {
  const holds = `${formatBytes(holdsBytes)} of memory once it has started, and may hold ${formatBytes(memoryBytes)}`;
  return new FulcrumError(
    'memory-exceeded',
    `${titleOf(spec)} holds ${holds}. Raise \`memory\`, or load less at the start.`,
  );
}

/** Of the others on an instance that one of them has made hang. */
export function hungByAnother(spec: Named): FulcrumError {
  return new FulcrumError(
    'instance-crashed',
    `The instance of ${namedOf(spec)} was ended because another invocation had made it hang.`,
  );
}
