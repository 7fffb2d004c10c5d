import { FulcrumError } from '../../base/errors.ts';
import type { UsageLine } from '../../model/usage-export.ts';
import { lines, route, type Route } from '../route.ts';
import { usageInput, usageLine } from '../usage-schema.ts';
import { usageStream } from '../usage-stream.ts';
import { running, type ApiParts } from './parts.ts';

const DEFAULT_MS = 30 * 86_400_000;
/** Each reads the store for as long as it lasts. */
const MAX_READERS = 16;
const MAX_READERS_OF_CALLER = 4;
/** A month of a small app is read in seconds. */
const RETRY_AFTER_S = 10;

export function usageRoutes({ host, clock, closing }: ApiParts): Route[] {
  /** How many read usage, by who they are. */
  const reading = new Map<string, number>();
  return [
    route({
      id: 'readUsage',
      method: 'GET',
      path: '/apps/{app}/usage',
      scope: 'read',
      reach: 'app',
      summary:
        'What was counted of an app: invocations by the minute, instances, arrivals, and in which time some may be missing',
      query: usageInput,
      answer: lines(usageLine),
      audit: null,
      async handle({ app, query, caller: { actor } }) {
        const toMs = query.to ?? clock.nowMs();
        const fromMs = query.from ?? Math.max(0, toMs - DEFAULT_MS);
        if (fromMs >= toMs) {
          throw new FulcrumError(
            'bad-request',
            `The request is not valid: from: ${fromMs} is not before to, ${toMs}.`,
          );
        }
        refuseMoreReaders(reading, actor);
        reading.set(actor, (reading.get(actor) ?? 0) + 1);
        const ended = Promise.withResolvers<void>();
        const onEnd = (): void => {
          const left = reading.get(actor)! - 1;
          if (left === 0) reading.delete(actor);
          else reading.set(actor, left);
          ended.resolve();
        };
        try {
          const span = { fromMs, toMs, component: query.component ?? null, facts: query.facts === 'true' };
          const usage = running(host, app).usage(span);
          const all = usage[Symbol.asyncIterator]();
          // What fails at once is told as a problem, and not by an answer that breaks off.
          const first = await all.next();
          return {
            body: usageStream({ lines: after(first, all), clock, signal: closing, onEnd }),
            done: ended.promise,
          };
        } catch (error) {
          onEnd();
          throw error;
        }
      },
    }),
  ];
}

async function* after(
  first: IteratorResult<UsageLine>,
  rest: AsyncIterator<UsageLine>,
): AsyncGenerator<UsageLine> {
  try {
    for (let next = first; next.done !== true; next = await rest.next()) yield next.value;
  } finally {
    await rest.return?.();
  }
}

/** Each caller has a bound, and all have one together, as readers of logs do. */
function refuseMoreReaders(reading: ReadonlyMap<string, number>, actor: string): void {
  const all = reading.values().reduce((sum, count) => sum + count, 0);
  if ((reading.get(actor) ?? 0) < MAX_READERS_OF_CALLER && all < MAX_READERS) return;
  throw new FulcrumError(
    'too-many-readers',
    all < MAX_READERS
      ? `${MAX_READERS_OF_CALLER} readers read usage with this access already. Wait for one of them.`
      : `${MAX_READERS} readers read usage already. Wait for one of them.`,
    { retryAfterS: RETRY_AFTER_S },
  );
}
