/**
 * How a machine's memory is shared out while somebody waits for some of it: a pure function of what everybody holds and wants.
 *
 * Room for the minimum of services comes first, whatever others hold. What is beyond that is elastic, and goes instance by instance to
 * whoever has the least of it for its weight. One that waits takes room from another only as long as it then has less than that one had
 * before, so that every step makes the sorted list of what all have more even and the sharing comes to rest: weighted max-min fairness
 * (`fair-share.ts`) in whole instances. Idle instances are taken first, those that have been idle longest, then busy ones of whoever has
 * most. Who waits and has nothing at all gets its first instance before anybody gets another, even from one that has only one: so that two
 * that the machine cannot hold together take turns.
 *
 * A worked example, 5 units of elastic room, weights of 1 and instances of 1 unit: A has 5 of them, busy, and 9 invocations waiting; B comes
 * and wants 3. B's first: 1 < 5, A owes one. B's second: 2 < 4, A owes another. B's third: 3 is not less than A's 3, so B is denied. A's
 * next, 4, is denied as well. A gives 2, B is promised 2.
 */
export interface Claim {
  /** Of one instance. */
  readonly bytes: number;
  readonly weight: number;
  readonly service: boolean;
  /** Instances whose room is nobody else's. */
  readonly minimum: number;
  /** How many of these it does not have: their room is kept. */
  readonly kept: number;
  /** Instances that start or work, and are not on their way out. */
  readonly live: number;
  /** How many more it wants beyond its minimum. */
  readonly wants: number;
  /** Since when those that are ready and have nothing to do have been so, the longest first. */
  readonly idleSinceMs: readonly number[];
  /** How many are ready and have work. */
  readonly busy: number;
  /** Since when it has been waiting for room. */
  readonly waitsSinceMs: number;
  /** How many more it may have just now, whatever room there is. */
  readonly most: number;
  /** It may begin one although as many start as may at a time. */
  readonly first: boolean;
}

export interface Room {
  /** What nobody holds. */
  readonly freeBytes: number;
  /** What is on its way out. */
  readonly comingBytes: number;
  /** The budget less everybody's minimum. */
  readonly elasticBytes: number;
  /** Kept for the first instances of those who have none and want none yet: nobody gets a second one out of it. */
  readonly firstBytes: number;
  /** How many function instances may begin to start. */
  readonly starts: number;
}

export interface Allotted {
  /** How many it may start now, beyond its minimum. */
  granted: number;
  /** How many it is to end, the idle ones first. */
  gives: number;
  /** For whom it does: an index into the claims. */
  givesFor: number | null;
  /** It wants more than it gets, and nothing is on its way to it. */
  denied: boolean;
}

/** The parts of a claim that change while room is shared out. */
interface Holder {
  readonly claim: Claim;
  readonly index: number;
  readonly allotted: Allotted;
  live: number;
  wants: number;
  idle: number;
  busy: number;
  most: number;
  first: boolean;
}

export function allot(room: Room, claims: readonly Claim[]): readonly Allotted[] {
  const holders = claims.map((claim, index): Holder => ({
    claim,
    index,
    allotted: { granted: 0, gives: 0, givesFor: null, denied: false },
    live: claim.live,
    wants: claim.wants,
    idle: claim.idleSinceMs.length,
    busy: claim.busy,
    most: claim.most,
    first: claim.first,
  }));
  let now = room.freeBytes;
  let soon = now + room.comingBytes;
  const keptBytes = claims.reduce((sum, { kept, bytes }) => sum + kept * bytes, 0);
  if (soon < keptBytes) soon += takeForKept(holders, keptBytes - soon);
  now -= keptBytes;
  soon -= keptBytes;
  let { starts } = room;
  const waiting = new Set(holders.filter(({ wants }) => wants > 0));
  while (waiting.size > 0) {
    const next = neediest(waiting);
    const { bytes, service } = next.claim;
    if (next.most <= 0 || (!service && starts <= 0 && !next.first)) {
      // Its turn comes with the end of what holds it, and not with room; that of its first instance nobody else has.
      if (isStarving(next)) {
        now -= bytes;
        soon -= bytes;
      }
      waiting.delete(next);
      continue;
    }
    const starving = isStarving(next) && bytes <= room.elasticBytes;
    const apart = isStarving(next) ? 0 : room.firstBytes;
    if (now - apart >= bytes) {
      next.allotted.granted++;
      if (!service) starts--;
      next.first = false;
    } else if (soon - apart < bytes) {
      const taken = takeFor(next, bytes - (soon - apart), holders, starving);
      if (taken === null) {
        next.allotted.denied = true;
        waiting.delete(next);
        continue;
      }
      soon += taken;
    }
    // Where it has to wait for its room, nobody else may have any of that meanwhile.
    now -= bytes;
    soon -= bytes;
    next.live++;
    next.most--;
    if (--next.wants === 0) waiting.delete(next);
  }
  return holders.map(({ allotted }) => allotted);
}

/** Elastic room in use, for its weight. @param more instances beside those it has. */
function level({ claim, live }: Holder, more = 0): number {
  return (Math.max(0, live + more - claim.minimum) * claim.bytes) / claim.weight;
}

/** It has nothing at all, and nothing is kept for it. */
function isStarving({ claim, live }: Holder): boolean {
  return live === 0 && claim.minimum === 0;
}

/** Who has nothing comes first, in the order of waiting; then who has least. Services first among equals. */
function neediest(waiting: ReadonlySet<Holder>): Holder {
  let first: Holder | null = null;
  for (const one of waiting) if (first === null || isBefore(one, first)) first = one;
  return first!;
}

function isBefore(a: Holder, b: Holder): boolean {
  const [starvingA, starvingB] = [isStarving(a), isStarving(b)];
  if (starvingA !== starvingB) return starvingA;
  if (!starvingA) {
    const [levelA, levelB] = [level(a, 1), level(b, 1)];
    if (levelA !== levelB) return levelA < levelB;
  }
  if (a.claim.service !== b.claim.service) return a.claim.service;
  return a.claim.waitsSinceMs < b.claim.waitsSinceMs;
}

/** @returns the bytes that others give for it, at least `need`; less only where it is `starving`; null where it may not have as much. */
function takeFor(taker: Holder, need: number, holders: readonly Holder[], starving: boolean): number | null {
  const after = level(taker, 1);
  const others = holders.filter((one) => one !== taker);
  const rich = (one: Holder): boolean => one.live > 1 && level(one) > after;
  const taken: (readonly [Holder, 'idle' | 'busy'])[] = [];
  let bytes = takeFrom(others, rich, need, taken);
  if (bytes < need && starving) bytes += takeFrom(others, () => true, need - bytes, taken);
  if (bytes < need && !starving) {
    for (const [one, what] of taken) giveAgain(one, what);
    return null;
  }
  for (const [one] of taken) note(one, taker.index);
  return bytes;
}

/** For the room that is kept for services: from anybody. */
function takeForKept(holders: readonly Holder[], need: number): number {
  const taken: (readonly [Holder, 'idle' | 'busy'])[] = [];
  const bytes = takeFrom(holders, () => true, need, taken);
  const whose = holders.reduce((most, one) => (keptOf(one) > keptOf(most) ? one : most));
  for (const [one] of taken) note(one, whose.index);
  return bytes;
}

function keptOf({ claim }: Holder): number {
  return claim.kept * claim.bytes;
}

function takeFrom(
  holders: readonly Holder[],
  may: (one: Holder) => boolean,
  need: number,
  taken: (readonly [Holder, 'idle' | 'busy'])[],
): number {
  let bytes = 0;
  const take = (one: Holder, what: 'idle' | 'busy'): void => {
    one[what]--;
    one.live--;
    bytes += one.claim.bytes;
    taken.push([one, what]);
  };
  const allowed = (one: Holder): boolean => one.live > one.claim.minimum && may(one);
  while (bytes < need) {
    const idle = best(
      holders,
      (one) => one.idle > 0 && allowed(one),
      (a, b) => idleSince(a) < idleSince(b),
    );
    const busy =
      idle ??
      best(
        holders,
        (one) => one.busy > 0 && allowed(one),
        (a, b) => level(a) > level(b),
      );
    if (busy === null) break;
    take(busy, idle === null ? 'busy' : 'idle');
  }
  return bytes;
}

function idleSince({ claim: { idleSinceMs }, idle }: Holder): number {
  return idleSinceMs[idleSinceMs.length - idle]!;
}

function best(
  holders: readonly Holder[],
  counts: (one: Holder) => boolean,
  before: (a: Holder, b: Holder) => boolean,
): Holder | null {
  let found: Holder | null = null;
  for (const one of holders) if (counts(one) && (found === null || before(one, found))) found = one;
  return found;
}

function giveAgain(one: Holder, what: 'idle' | 'busy'): void {
  one[what]++;
  one.live++;
}

function note({ allotted }: Holder, whom: number): void {
  allotted.gives++;
  allotted.givesFor ??= whom;
}
