import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { blocksOf } from './blocks.ts';

const MINUTE_MS = 60_000;
const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
const FROM_MS = Date.UTC(2026, 10, 2);

const lengthsOf = (windowMs: number, fromMs = FROM_MS): number[] =>
  blocksOf({ fromMs, toMs: fromMs + windowMs }).spans.map((span) => span.toMs - span.fromMs);

describe('blocks of a window', () => {
  test('are days from a week on, hours below, and sixths where hours would be too few', () => {
    assert.deepEqual(lengthsOf(14 * DAY_MS), Array(14).fill(DAY_MS));
    assert.deepEqual(lengthsOf(6 * DAY_MS), Array(144).fill(HOUR_MS));
    assert.deepEqual(lengthsOf(3 * HOUR_MS), Array(3).fill(HOUR_MS));
    assert.deepEqual(lengthsOf(2 * HOUR_MS), Array(6).fill(20 * MINUTE_MS));
    assert.deepEqual(lengthsOf(HOUR_MS), Array(6).fill(10 * MINUTE_MS));
  });

  test('cover the window without gap or rest, with whole minutes between them', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 20 * DAY_MS }),
        fc.integer({ min: 0, max: DAY_MS }),
        (windowMs, offsetMs) => {
          const window = { fromMs: FROM_MS + offsetMs, toMs: FROM_MS + offsetMs + windowMs };
          const { spans } = blocksOf(window);
          assert.equal(spans[0]!.fromMs, window.fromMs);
          assert.equal(spans.at(-1)!.toMs, window.toMs);
          for (const [i, { fromMs, toMs }] of spans.entries()) {
            assert.ok(toMs > fromMs);
            if (i === 0) continue;
            assert.equal(fromMs, spans[i - 1]!.toMs);
            assert.equal(fromMs % MINUTE_MS, 0);
          }
        },
      ),
      { seed: 1 },
    );
  });
});
