import { parseDuration } from '../base/duration.ts';
import { FulcrumError } from '../base/errors.ts';
import { MAX_EVENT_DELAY_MS } from '../base/event-limits.ts';

/** A delay as an author says it, in whole ms: a duration, or milliseconds. Throws `event-invalid`; `what` says whose delay it is. */
export function delayMs(delay: unknown, what: string): number {
  const ms = typeof delay === 'string' ? parseDuration(delay) : delay;
  if (typeof ms === 'number' && ms >= 0 && ms <= MAX_EVENT_DELAY_MS) return Math.ceil(ms);
  const found = typeof delay === 'string' ? JSON.stringify(delay) : String(delay);
  throw new FulcrumError(
    'event-invalid',
    `${what}: its delay is ${found.slice(0, 64)}; a duration such as '30s' or a number of milliseconds is right, 365d at most.`,
  );
}
