import type { Engine } from '../model/instance.ts';
import type { InvocationEnd } from '../model/invocation.ts';
import type { ModeSettings } from './mode-settings.ts';

/**
 * Whether a function's instance may be at an invocation still that is over. A module's instance says when a handler is over, a program does not:
 * after a request that was given up it may still be at it, and must not be given another beside it where it was promised one at a time.
 * @param concurrency of the instance.
 */
export function mayStillWork(
  { mode }: ModeSettings,
  engine: Engine,
  concurrency: number,
  { outcome }: InvocationEnd,
): boolean {
  if (mode !== 'function' || concurrency > 1 || engine !== 'command') return false;
  return outcome === 'cancelled' || outcome === 'bad-response';
}
