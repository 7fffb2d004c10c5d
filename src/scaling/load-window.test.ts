import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { LoadWindow } from './load-window.ts';

/** What the window stands for: every change, and the integral summed up over all of them. */
class Slow {
  readonly #steps: { atMs: number; level: number }[];
  readonly #beganMs: number;

  constructor(beganMs: number) {
    this.#beganMs = beganMs;
    this.#steps = [{ atMs: beganMs, level: 0 }];
  }

  set(level: number, atMs: number): void {
    this.#steps.push({ atMs, level });
  }

  average(windowMs: number, nowMs: number): number {
    const fromMs = Math.max(nowMs - windowMs, this.#beganMs);
    if (fromMs >= nowMs) return this.#steps.at(-1)!.level;
    let sum = 0;
    for (const [i, { atMs, level }] of this.#steps.entries()) {
      const untilMs = this.#steps[i + 1]?.atMs ?? nowMs;
      sum += level * Math.max(0, Math.min(untilMs, nowMs) - Math.max(atMs, fromMs));
    }
    return sum / (nowMs - fromMs);
  }
}

describe('a load window', () => {
  it('tells the time-weighted average since it began, and what is at its very beginning', () => {
    const window = new LoadWindow(60_000, 500);
    window.set(4, 500);
    assert.equal(window.average(6_000, 500), 4);
    window.set(0, 1_500);
    assert.equal(window.average(6_000, 2_500), 2);
    assert.equal(window.average(500, 2_500), 0);
  });

  it('counts the part of the oldest second that the window still covers', () => {
    const window = new LoadWindow(60_000, 0);
    window.set(4, 0);
    window.set(0, 1_000);
    assert.equal(window.average(2_000, 2_500), 1);
  });

  it('forgets what lies behind its window, after however long a silence', () => {
    const window = new LoadWindow(60_000, 0);
    window.set(9, 0);
    window.set(1, 10_000);
    assert.equal(window.average(60_000, 70_000), 1);
    window.set(3, 1e9);
    assert.equal(window.average(60_000, 1e9), 1);
    assert.equal(window.average(60_000, 1e9 + 30_000), 2);
    // Second by second that would take for ever.
    assert.equal(window.average(60_000, 1e15), 3);
  });

  it('is right to within what one bucket can hide, whatever happens when', () => {
    const change = fc.record({
      gapMs: fc.oneof(fc.nat({ max: 900 }), fc.nat({ max: 150_000 })),
      level: fc.nat({ max: 100 }),
    });
    fc.assert(
      fc.property(fc.array(change, { maxLength: 30 }), fc.nat({ max: 5_000 }), (changes, beganMs) => {
        const window = new LoadWindow(60_000, beganMs);
        const slow = new Slow(beganMs);
        let nowMs = beganMs;
        for (const { gapMs, level } of changes) {
          nowMs += gapMs;
          for (const spanMs of [6_000, 60_000]) {
            const allowed = (1_000 * 100) / Math.min(spanMs, Math.max(1, nowMs - beganMs));
            const off = Math.abs(window.average(spanMs, nowMs) - slow.average(spanMs, nowMs));
            assert.ok(off <= (nowMs - beganMs > spanMs ? allowed : 1e-6), `${off} at ${nowMs}`);
          }
          window.set(level, nowMs);
          slow.set(level, nowMs);
        }
      }),
      { numRuns: 200 },
    );
  });
});
