import { FulcrumError } from '../../base/errors.ts';
import type { AppRecord } from '../../model/app-record.ts';
import { canaryPercent } from './canary-step.ts';

/** Throws `conflict` where a canary stands beside what serves. */
export function refuseBesideCanary({ id, canary }: AppRecord): void {
  if (canary === null) return;
  throw new FulcrumError(
    'conflict',
    `Release ${canary.release} of ${id} is a canary at ${canaryPercent(canary)} %. Promote it or take it back first.`,
    { details: { canary: canary.release } },
  );
}

export function noCanary(id: string): FulcrumError {
  return new FulcrumError('not-found', `There is no canary of ${id}.`);
}

export function servesNothing(id: string): FulcrumError {
  return new FulcrumError('bad-request', `Nothing of ${id} serves yet: deploy it first.`);
}
