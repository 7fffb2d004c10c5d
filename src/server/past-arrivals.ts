import { FulcrumError } from '../base/errors.ts';
import type { UsageHistory } from '../meter/usage-history.ts';
import type { Arrival } from '../model/usage-store.ts';

/** As many fill a histogram of idle times; what is older than the latest of them hardly counts any more. */
const ENOUGH = 2_048;
/** Two weeks, as "Serverless in the Wild" keeps (USENIX ATC 2020, section 4.2). */
const OLDEST_MS = 14 * 86_400_000;
/** What is asked for first: of a busy component that is more than enough. */
const FIRST_MS = 300_000;
/** What has so many in one stretch shows its habits within seconds. At some 100 bytes each they are 5 MB for that time. */
const MOST = 50_000;

/**
 * The latest of what arrived at `components`, which share their instances, before `beforeMs` and came to one, in order: some 2,000, or all of
 * two weeks. Asks for stretches that double in length into the past, so that it reads little of a busy component and asks 13 times
 * at most about a quiet one. Rejects with `store-failed`.
 */
export async function pastArrivals(
  history: Pick<UsageHistory, 'arrivals'>,
  components: readonly string[],
  beforeMs: number,
): Promise<readonly Arrival[]> {
  const stretches: Arrival[][] = [];
  let found = 0;
  let toMs = beforeMs;
  for (let lengthMs = FIRST_MS; found < ENOUGH && beforeMs - toMs < OLDEST_MS; lengthMs *= 2) {
    const fromMs = Math.max(toMs - lengthMs, beforeMs - OLDEST_MS);
    let arrivals: Arrival[] = [];
    try {
      for (const component of components)
        arrivals = arrivals.concat(await history.arrivals({ component, fromMs, toMs }, MOST));
    } catch (error) {
      if (error instanceof FulcrumError && error.code === 'bad-request') break;
      throw error;
    }
    if (components.length > 1) arrivals.sort((a, b) => a.arrivedAtMs - b.arrivedAtMs);
    stretches.unshift(arrivals.filter(({ refused }) => !refused));
    found += arrivals.length;
    toMs = fromMs;
  }
  return stretches.flat();
}
