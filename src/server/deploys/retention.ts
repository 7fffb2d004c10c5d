import type { Release } from '../../model/release.ts';

/** Healthy releases that are kept to go back to, the one that serves included. */
const HEALTHY = 5;
/** Others are kept to be looked at: failed ones, the latest. */
const FAILED = 10;

/**
 * The releases that may be removed.
 * @param releases of one app, newest first.
 * @param needed numbers of those that serve or still have work.
 */
export function toRemove(releases: readonly Release[], needed: ReadonlySet<number>): readonly number[] {
  let healthy = 0;
  let failed = 0;
  const gone: number[] = [];
  for (const { number, state } of releases) {
    // One that is uploaded and not needed was being deployed when its server ended.
    const isKept = state === 'healthy' ? ++healthy <= HEALTHY : ++failed <= FAILED;
    if (!isKept && !needed.has(number)) gone.push(number);
  }
  return gone;
}
