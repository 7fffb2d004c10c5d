import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { allot, type Claim } from './allotment.ts';
import { fairShares } from './fair-share.ts';

const RUNS = { numRuns: process.env['FULCRUM_FULL'] === '1' ? 3_000 : 300 };

function claim(o: Partial<Claim>): Claim {
  return {
    bytes: 1,
    weight: 1,
    service: false,
    minimum: 0,
    kept: 0,
    live: (o.idleSinceMs?.length ?? 0) + (o.busy ?? 0),
    wants: 0,
    idleSinceMs: [],
    busy: 0,
    waitsSinceMs: 0,
    most: Number.POSITIVE_INFINITY,
    first: false,
    ...o,
  };
}

function room(o: Partial<Parameters<typeof allot>[0]> = {}): Parameters<typeof allot>[0] {
  return { freeBytes: 0, comingBytes: 0, elasticBytes: 100, firstBytes: 0, starts: 100, ...o };
}

describe('room that is short', () => {
  it('is shared as the worked example says', () => {
    const [a, b] = allot(room({ elasticBytes: 5 }), [
      claim({ busy: 5, wants: 9 }),
      claim({ wants: 3, waitsSinceMs: 1 }),
    ]);
    assert.deepEqual(a, { granted: 0, gives: 2, givesFor: 1, denied: true });
    assert.deepEqual(b, { granted: 0, gives: 0, givesFor: null, denied: true });
  });

  it('goes to who has nothing first, and then to who has least', () => {
    const all = allot(room({ freeBytes: 3 }), [
      claim({ busy: 4, wants: 9 }),
      claim({ wants: 1 }),
      claim({ busy: 1, wants: 9 }),
    ]);
    assert.deepEqual(
      all.map(({ granted }) => granted),
      [0, 1, 2],
    );
  });

  it('lets each that has none starting begin one where all starts are taken, and only one', () => {
    const all = allot(room({ freeBytes: 9, starts: 0 }), [
      claim({ live: 6, wants: 9 }),
      claim({ wants: 3, first: true }),
      claim({ busy: 1, wants: 3, first: true }),
    ]);
    assert.deepEqual(
      all.map(({ granted }) => granted),
      [0, 1, 1],
    );
  });

  it('takes what has been idle longest before anything that works', () => {
    const all = allot(room(), [
      claim({ busy: 9 }),
      claim({ idleSinceMs: [5, 9], busy: 2 }),
      claim({ idleSinceMs: [3], busy: 3 }),
      claim({ wants: 2 }),
    ]);
    assert.deepEqual(
      all.map(({ gives }) => gives),
      [0, 1, 1, 0],
    );
  });

  it('leaves idle instances alone that are no more than a fair part', () => {
    const all = allot(room(), [claim({ idleSinceMs: [0, 0] }), claim({ busy: 2, wants: 5 })]);
    assert.deepEqual(
      all.map(({ gives, denied }) => [gives, denied]),
      [
        [0, false],
        [0, true],
      ],
    );
  });

  it('is kept for the minimum of services, whoever holds it', () => {
    const all = allot(room({ elasticBytes: 1 }), [
      claim({ busy: 1, idleSinceMs: [0] }),
      claim({ service: true, minimum: 1, kept: 1 }),
      claim({ wants: 1 }),
    ]);
    assert.deepEqual(
      all.map(({ gives, granted }) => [gives, granted]),
      [
        [2, 0],
        [0, 0],
        [0, 0],
      ],
    );
  });

  it('never takes a minimum', () => {
    const all = allot(room(), [claim({ service: true, minimum: 2, busy: 3 }), claim({ bytes: 2, wants: 1 })]);
    assert.equal(all[0]!.gives, 1);
  });

  it('is held together for a large one until it is enough, and not snatched by small ones', () => {
    const [large, small] = allot(room({ freeBytes: 2, comingBytes: 2 }), [
      claim({ bytes: 4, wants: 1 }),
      claim({ busy: 1, wants: 5 }),
    ]);
    assert.deepEqual([large!.granted, small!.granted, large!.denied], [0, 0, false]);
  });

  it('lets two that it cannot hold together take turns', () => {
    const [a, b] = allot(room({ elasticBytes: 2 }), [
      claim({ bytes: 2, busy: 1, wants: 4 }),
      claim({ bytes: 2, wants: 4 }),
    ]);
    assert.deepEqual([a!.gives, b!.denied], [1, true]);
  });

  it('gives nothing to what can never fit, and takes nothing for it', () => {
    const all = allot(room({ elasticBytes: 5 }), [claim({ bytes: 6, wants: 1 }), claim({ busy: 5 })]);
    assert.deepEqual(
      all.map(({ gives, denied }) => [gives, denied]),
      [
        [0, true],
        [0, false],
      ],
    );
  });

  it('leaves what is kept for first instances to those', () => {
    const all = allot(room({ freeBytes: 3, firstBytes: 1 }), [
      claim({ busy: 1, wants: 5 }),
      claim({ wants: 1 }),
    ]);
    assert.deepEqual(
      all.map(({ granted }) => granted),
      [1, 1],
    );
    const [growing, starving] = allot(room({ freeBytes: 1, firstBytes: 1 }), [
      claim({ service: true, busy: 1, wants: 5 }),
      claim({ wants: 1, most: 0 }),
    ]);
    assert.deepEqual([growing!.granted, starving!.granted], [0, 0], 'not even while it may not start');
  });

  it('starts no more functions than may start; services do not count', () => {
    const all = allot(room({ freeBytes: 9, starts: 1 }), [
      claim({ wants: 2 }),
      claim({ service: true, busy: 1, wants: 2 }),
      claim({ wants: 2, most: 0 }),
    ]);
    assert.deepEqual(
      all.map(({ granted }) => granted),
      [1, 2, 0],
    );
  });
});

interface Party {
  readonly bytes: number;
  readonly weight: number;
  readonly service: boolean;
  readonly minimum: number;
  readonly most: number;
  live: number;
}

/** Carries out what is allotted, at once, until nothing changes. @returns how many rounds it took. */
function settle(parties: readonly Party[], totalBytes: number): number {
  for (let round = 1; ; round++) {
    assert.ok(round < 1_000, 'it comes to rest');
    const held = parties.reduce((sum, { live, bytes }) => sum + live * bytes, 0);
    const minimums = parties.reduce((sum, { minimum, bytes }) => sum + minimum * bytes, 0);
    const claims = parties.map((one, i) => {
      const kept = Math.max(0, one.minimum - one.live);
      return claim({
        ...one,
        kept,
        busy: one.live,
        wants: Math.max(0, one.most - one.live - kept),
        waitsSinceMs: i,
      });
    });
    const all = allot(
      {
        firstBytes: 0,
        freeBytes: totalBytes - held,
        comingBytes: 0,
        elasticBytes: totalBytes - minimums,
        starts: 1_000,
      },
      claims,
    );
    let changed = false;
    for (const [i, { granted, gives }] of all.entries()) {
      assert.ok(granted === 0 || gives === 0, 'nobody gives and takes');
      parties[i]!.live += granted - gives;
      changed ||= granted > 0 || gives > 0;
      assert.ok(parties[i]!.live >= 0);
    }
    const now = parties.reduce((sum, { live, bytes }) => sum + live * bytes, 0);
    assert.ok(now <= Math.max(totalBytes, held), 'never more than there is');
    if (!changed) return round;
  }
}

const party = fc
  .record({
    bytes: fc.integer({ min: 1, max: 4 }),
    weight: fc.integer({ min: 1, max: 3 }),
    service: fc.boolean(),
    minimum: fc.integer({ min: 0, max: 2 }),
    extra: fc.integer({ min: 0, max: 12 }),
    live: fc.integer({ min: 0, max: 8 }),
  })
  .map(({ minimum, extra, live, service, ...o }): Party => ({
    ...{ ...o, service },
    minimum: service ? minimum : 0,
    most: (service ? minimum : 0) + extra,
    live: Math.min(live, (service ? minimum : 0) + extra),
  }));

describe('sharing out, from any beginning', () => {
  it('comes to rest with nobody above another for whom there is reason, and no room left that is wanted', () => {
    fc.assert(
      fc.property(
        fc.array(party, { minLength: 1, maxLength: 6 }),
        fc.integer({ min: 0, max: 20 }),
        (all, more) => {
          const parties = all.map((one) => ({ ...one }));
          // One instance of each fits: else they take turns, and never come to rest.
          const least = parties.reduce((sum, { bytes, minimum }) => sum + Math.max(1, minimum) * bytes, 0);
          const totalBytes = Math.max(
            least + more,
            parties.reduce((sum, { live, bytes }) => sum + live * bytes, 0),
          );
          settle(parties, totalBytes);
          const level = (one: Party, change = 0): number =>
            (Math.max(0, one.live + change - one.minimum) * one.bytes) / one.weight;
          const freeBytes =
            totalBytes -
            parties.reduce((sum, { live, bytes, minimum }) => sum + Math.max(live, minimum) * bytes, 0);
          for (const one of parties) {
            if (one.most > 0) assert.ok(one.live > 0 || one.minimum > 0, 'nobody starves');
            if (one.live >= one.most || one.live < one.minimum) continue;
            assert.ok(freeBytes < one.bytes, 'no room is left that one could use');
            const richer = parties.filter(
              (other) =>
                other !== one && other.live > Math.max(1, other.minimum) && level(other) > level(one, 1),
            );
            assert.ok(spares(one, richer, level) + freeBytes < one.bytes, 'who has more gives');
          }
        },
      ),
      RUNS,
    );
  });

  it('comes within an instance of the shares of the textbook, where all instances are of one size', () => {
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.integer({ min: 1, max: 12 }), fc.integer({ min: 0, max: 8 })), {
          minLength: 1,
          maxLength: 6,
        }),
        fc.integer({ min: 0, max: 20 }),
        (all, more) => {
          const parties = all.map(([most, live]): Party => ({
            ...{ bytes: 1, weight: 1, service: false, minimum: 0, most },
            live: Math.min(live, most),
          }));
          const total = Math.max(
            parties.length + more,
            parties.reduce((sum, { live }) => sum + live, 0),
          );
          settle(parties, total);
          const shares = fairShares(
            total,
            parties.map(({ weight, most }) => ({ weight, wants: most })),
          );
          for (const [i, { live }] of parties.entries()) assert.ok(Math.abs(live - shares[i]!) < 1 + 1e-9);
        },
      ),
      RUNS,
    );
  });
});

/** What those who have more could give before they have no more than it would. */
function spares(
  one: Party,
  richer: readonly Party[],
  level: (one: Party, change?: number) => number,
): number {
  let bytes = 0;
  for (const other of richer)
    for (let given = 0; other.live - given > Math.max(1, other.minimum); given++) {
      if (level(other, -given) <= level(one, 1)) break;
      bytes += other.bytes;
    }
  return bytes;
}
