import { asFulcrumError, FulcrumError } from '../base/errors.ts';
import type { ComponentPool } from './component-pool.ts';

/** A pool that does not serve yet, and how many instances must be ready before it may. */
export interface Candidate {
  readonly pool: ComponentPool;
  readonly needs: number;
  /** Told once: null when it is ready, else why it cannot be. */
  readonly settled?: (error: FulcrumError | null) => void;
}

/**
 * Make before break: resolves when every candidate is ready. Where one fails, or `signal` aborts, all of them are given
 * up, what they had started is stopped, and the first failure is thrown.
 */
export async function allReady(candidates: readonly Candidate[], signal: AbortSignal): Promise<void> {
  const abandon = (error: FulcrumError): void => {
    for (const { pool } of candidates) pool.abandon(error);
  };
  const onAbort = (): void => abandon(signal.reason as FulcrumError);
  const ready = Promise.all(
    candidates.map(({ pool, needs, settled }) =>
      pool.ready(needs).then(
        () => settled?.(null),
        (error: unknown) => {
          settled?.(asFulcrumError(error));
          throw error;
        },
      ),
    ),
  );
  if (signal.aborted) onAbort();
  else signal.addEventListener('abort', onAbort, { once: true });
  try {
    await ready;
    // It may have aborted between the last one's being ready and now.
    if (signal.aborted) throw signal.reason;
  } catch (error) {
    abandon(new FulcrumError('shutting-down', 'Not needed any more: another part of the change failed.'));
    throw error;
  } finally {
    signal.removeEventListener('abort', onAbort);
  }
}
