import { asFulcrumError, type FulcrumError } from '../../base/errors.ts';
import type { InvocationEnd, Outcome } from '../../model/invocation.ts';

/** A program's CPU time is not known per request, so that every end says 0. */
export const ENDED_WELL: InvocationEnd = Object.freeze({ outcome: 'ok', error: null, cpuMs: 0 });

export function endedBadly(outcome: Exclude<Outcome, 'ok'>, error: FulcrumError): InvocationEnd {
  return { outcome, error, cpuMs: 0 };
}

/** The end of an invocation that was given up for `reason`: an abort's, or that of a request body that broke off. */
export function givenUp(reason: unknown): InvocationEnd {
  const error = asFulcrumError(reason);
  return endedBadly(error.code === 'timeout' ? 'timeout' : 'cancelled', error);
}

/** Work that an instance is doing: an exchange or an upgraded connection. */
export interface InFlight {
  /** The instance is to go: what may last for ever ends soon and cleanly, the rest goes on. Idempotent. */
  drain(): void;
  /** The instance is gone: it ends now, as crashed. */
  crash(error: FulcrumError): void;
}
