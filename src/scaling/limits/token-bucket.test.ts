import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { TokenBucket } from './token-bucket.ts';

const rate = fc.record({
  rps: fc.oneof(
    fc.integer({ min: 1, max: 5_000 }),
    fc.double({ min: 0.01, max: 50, noNaN: true }),
    fc.constant(3),
  ),
  burst: fc.integer({ min: 1, max: 50 }),
});
const gaps = fc.array(
  fc.oneof(
    { weight: 3, arbitrary: fc.constant(0) },
    { weight: 3, arbitrary: fc.double({ min: 0, max: 500, noNaN: true }) },
    { weight: 1, arbitrary: fc.integer({ min: 0, max: 100_000 }) },
  ),
  { minLength: 1, maxLength: 120 },
);

/** Whoever may, takes. @returns when each was let in. */
function admitted(bucket: TokenBucket, times: readonly number[]): number[] {
  return times.filter((nowMs) => {
    if (bucket.waitMs(nowMs) > 0) return false;
    bucket.take(nowMs);
    return true;
  });
}

function timesOf(all: readonly number[], fromMs: number): number[] {
  let nowMs = fromMs;
  return all.map((gapMs) => (nowMs += gapMs));
}

describe('a token bucket', () => {
  it('never lets through more than its burst and rate, over any stretch of any arrivals', () => {
    fc.assert(
      fc.property(rate, gaps, fc.integer({ min: 0, max: 1e9 }), ({ rps, burst }, all, fromMs) => {
        const let_ = admitted(new TokenBucket({ rps, burst }), timesOf(all, fromMs));
        for (let i = 0; i < let_.length; i++) {
          for (let j = i; j < let_.length; j++) {
            const most = burst + (rps * (let_[j]! - let_[i]! + 0.01)) / 1_000;
            assert.ok(
              j - i + 1 <= most + 1e-6,
              `${j - i + 1} within ${let_[j]! - let_[i]!} ms, at most ${most}`,
            );
          }
        }
      }),
    );
  });

  it('never refuses what a bucket filled by hand would let through', () => {
    fc.assert(
      fc.property(rate, gaps, ({ rps, burst }, all) => {
        const bucket = new TokenBucket({ rps, burst });
        let tokens = burst;
        let lastMs = 0;
        for (const nowMs of timesOf(all, 0)) {
          tokens = Math.min(burst, tokens + ((nowMs - lastMs) * rps) / 1_000);
          lastMs = nowMs;
          const waitMs = bucket.waitMs(nowMs);
          if (waitMs > 0) {
            assert.ok(tokens < 1 - 1e-9, `${tokens} tokens, and refused`);
            assert.ok(Math.abs(waitMs - ((1 - tokens) * 1_000) / rps) < 0.01 + waitMs * 1e-6);
          } else {
            bucket.take(nowMs);
            tokens -= 1;
          }
        }
      }),
    );
  });

  it('lets in at the time it has told, and not before', () => {
    fc.assert(
      fc.property(rate, ({ rps, burst }) => {
        const bucket = new TokenBucket({ rps, burst });
        assert.equal(
          admitted(
            bucket,
            Array.from({ length: burst + 5 }, () => 7),
          ).length,
          burst,
        );
        const waitMs = bucket.waitMs(7);
        assert.ok(waitMs > 0);
        assert.ok(bucket.waitMs(7 + waitMs * 0.98 - 0.01) > 0);
        assert.equal(bucket.waitMs(7 + waitMs), 0);
      }),
    );
  });

  it('gives nobody a burst by a change of its rate, and takes none back', () => {
    const bucket = new TokenBucket({ rps: 10, burst: 20 });
    assert.equal(
      admitted(
        bucket,
        Array.from({ length: 30 }, () => 0),
      ).length,
      20,
    );
    bucket.change({ rps: 100, burst: 5 }, 0);
    assert.equal(bucket.waitMs(0), 10, 'empty still, and filled at the new rate');
    bucket.change({ rps: 1, burst: 50 }, 40);
    assert.equal(
      admitted(
        bucket,
        Array.from({ length: 60 }, () => 40),
      ).length,
      49,
      'it lacked one of its five',
    );
    const unused = new TokenBucket({ rps: 1, burst: 2 });
    unused.change({ rps: 1, burst: 9 }, 5);
    assert.equal(
      admitted(
        unused,
        Array.from({ length: 20 }, () => 5),
      ).length,
      9,
    );
  });
});
