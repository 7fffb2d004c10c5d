import { createHash } from 'node:crypto';
import type { UidRange } from './machine.ts';

/**
 * Where components' own user ids come from: 65,536 of them from 1,900,000,000 on. That lies beyond what distributions give
 * to people and services (up to 65,533), subordinate ids (`/etc/subuid`, up to 600,100,000) and systemd's containers (up to
 * 1,879,048,191), so that nobody else's processes or files have them. A user namespace may not hold that range (a container's often ends at 65,535);
 * then it is the 16,384 from 40,000 on. No entry in `/etc/passwd` is made or needed.
 */
export const COMPONENT_UIDS: UidRange = { first: 1_900_000_000, count: 65_536 };
export const COMPONENT_UIDS_IN_CONTAINER: UidRange = { first: 40_000, count: 16_384 };

/** The range that is there; null where neither is. */
export function componentUids(ranges: readonly UidRange[]): UidRange | null {
  const holds = (wanted: UidRange): boolean =>
    ranges.some(({ first, count }) => first <= wanted.first && wanted.first + wanted.count <= first + count);
  return [COMPONENT_UIDS, COMPONENT_UIDS_IN_CONTAINER].find(holds) ?? null;
}

/**
 * An id for each component of an app, no two the same. It follows from the names alone, so that it is the same after a
 * restart and when other components come and go, unless two names meet at one id: then the alphabetically later one moves on.
 * @param takenByOthers ids that another app's components have.
 */
export function assignUids(
  app: string,
  components: readonly string[],
  range: UidRange,
  takenByOthers: (uid: number) => boolean = () => false,
): ReadonlyMap<string, number> {
  const taken = new Set<number>();
  const ids = new Map<string, number>();
  for (const component of [...components].sort()) {
    const hash = createHash('sha256').update(`${app}\0${component}`).digest();
    let offset = hash.readUInt32BE(0) % range.count;
    for (let tries = 0; tries < range.count; tries++) {
      if (!taken.has(offset) && !takenByOthers(range.first + offset)) break;
      offset = (offset + 1) % range.count;
    }
    taken.add(offset);
    ids.set(component, range.first + offset);
  }
  return ids;
}
