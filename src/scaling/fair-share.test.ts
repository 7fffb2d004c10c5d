import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { fairShares } from './fair-share.ts';

const demand = fc.record({
  weight: fc.integer({ min: 1, max: 10 }),
  wants: fc.integer({ min: 0, max: 100 }),
});
const demands = fc.array(demand, { maxLength: 12 });
const CLOSE = 1e-6;

describe('fair shares', () => {
  it('are those of the textbook example', () => {
    const wants = [2, 2.6, 4, 5].map((each) => ({ weight: 1, wants: each }));
    assert.deepEqual(
      fairShares(10, wants).map((share) => Number(share.toFixed(3))),
      [2, 2.6, 2.7, 2.7],
    );
  });

  it('follow weights where all want more', () => {
    assert.deepEqual(
      fairShares(12, [
        { weight: 1, wants: 100 },
        { weight: 3, wants: 100 },
      ]),
      [3, 9],
    );
  });

  it('use up the total or satisfy everybody, and nobody could have more but from one who has less', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 500 }), demands, (total, all) => {
        const shares = fairShares(total, all);
        const sum = shares.reduce((a, b) => a + b, 0);
        const wanted = all.reduce((a, { wants }) => a + wants, 0);
        assert.ok(Math.abs(sum - Math.min(total, wanted)) < CLOSE);
        for (const [i, { wants, weight }] of all.entries()) {
          assert.ok(shares[i]! >= 0 && shares[i]! <= wants);
          if (shares[i]! > wants - CLOSE) continue;
          for (const [j, other] of all.entries())
            assert.ok(
              shares[j]! / other.weight <= shares[i]! / weight + CLOSE,
              'nobody is envied with reason',
            );
        }
      }),
    );
  });
});
