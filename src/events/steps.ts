import type { AppSpec } from '../model/app.ts';
import type { EventStore } from '../model/event-store.ts';
import { takersOf } from './new-work.ts';

/** Rows of one transaction: others get theirs in between. */
const STEP_ROWS = 500;
const MOST_TYPES = 1_000;

/**
 * Does by steps what may be much. What becomes due again meanwhile, and fails again, is not done twice: it ends after as many as there were.
 * @returns how many.
 */
export async function bySteps(most: number, step: (limit: number) => Promise<number>): Promise<number> {
  let done = 0;
  while (done < most) {
    const limit = Math.min(STEP_ROWS, most - done);
    const count = await step(limit);
    done += count;
    if (count < limit) break;
  }
  return done;
}

/**
 * Gives unmatched events to the components that take their types now. @returns which components have been given any. Rejects with
 * `store-failed`.
 */
export async function matchUnmatched(
  store: Pick<EventStore, 'match' | 'unmatchedTypes'>,
  app: string,
  components: AppSpec['components'],
  nowMs: number,
): Promise<ReadonlySet<string>> {
  const given = new Set<string>();
  for (const type of await store.unmatchedTypes(app, MOST_TYPES)) {
    const takers = takersOf(components, type);
    if (takers.length === 0) continue;
    const count = await bySteps(Number.POSITIVE_INFINITY, (limit) =>
      store.match(app, type, takers, nowMs, limit),
    );
    if (count > 0) for (const taker of takers) given.add(taker);
  }
  return given;
}
