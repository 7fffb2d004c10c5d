import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { IdleHistogram, keepAliveFor } from './idle-histogram.ts';

const MIN = 60_000;
const DAY = 86_400_000;

const min = (minutes: number): number => Math.round(minutes * MIN);

/** Idle times in minutes, one after the other, `each` times each. */
function of(idleMin: readonly number[], each = 1): IdleHistogram {
  const histogram = new IdleHistogram();
  let atMs = 0;
  for (let i = 0; i < each; i++) for (const one of idleMin) histogram.add(one * MIN, (atMs += one * MIN));
  return histogram;
}

describe('the hybrid histogram policy', () => {
  it('does what the worked example says', () => {
    const all = [...Array(30).fill(30.5), ...Array(4).fill(29.2), ...Array(4).fill(31), 15, 59.9];
    assert.deepEqual(keepAliveFor(of(all)), { prewarmAfterMs: min(26.1), keepMs: min(66) });
  });

  it('keeps what is used within every minute for the first bin and a tenth', () => {
    assert.deepEqual(keepAliveFor(of([0.01], 50)), { prewarmAfterMs: 0, keepMs: min(1.1) });
  });

  it('leaves out less than a twentieth before and a hundredth behind', () => {
    const short = [...Array(4).fill(2), ...Array(96).fill(60)];
    assert.equal(keepAliveFor(of(short))!.prewarmAfterMs, min(54));
    assert.equal(keepAliveFor(of([...short, 2, 2]))!.prewarmAfterMs, min(1.8));
    assert.equal(keepAliveFor(of([...Array(99).fill(60), 200]))!.keepMs, min(61 * 1.1));
    assert.equal(keepAliveFor(of([...Array(98).fill(60), 200, 200]))!.keepMs, min(201 * 1.1));
  });

  it('says nothing with too few samples', () => {
    assert.equal(keepAliveFor(of([30], 4)), null);
    assert.notEqual(keepAliveFor(of([30], 5)), null);
  });

  it('says nothing where more than half are out of bounds', () => {
    assert.equal(keepAliveFor(of([300, 30, 300], 20)), null);
    assert.notEqual(keepAliveFor(of([300, 30], 20)), null);
    assert.equal(keepAliveFor(of([300], 20)), null);
  });

  it('says nothing where any length is as likely as any other', () => {
    const even = Array.from({ length: 240 }, (_, i) => i);
    assert.equal(keepAliveFor(of(even, 2)), null);
    // A fifth of the bins hold all: the variation is √(240 ÷ 48 − 1) = 2.
    assert.notEqual(keepAliveFor(of(even.slice(0, 48), 10)), null);
    assert.equal(keepAliveFor(of(even.slice(0, 49), 10)), null);
  });
});

describe('a histogram of idle times', () => {
  it('forgets an old habit within a few weeks of another', () => {
    const histogram = new IdleHistogram();
    let atMs = 0;
    const live = (idleMin: number, days: number): void => {
      for (const endMs = atMs + days * DAY; atMs < endMs;)
        histogram.add(idleMin * MIN, (atMs += idleMin * MIN));
    };
    live(20, 60);
    assert.equal(histogram.verdict()!.prewarmAfterMs, min(18));
    live(60, 14);
    assert.equal(histogram.verdict()!.prewarmAfterMs, min(18));
    live(60, 28);
    assert.deepEqual(histogram.verdict(), { prewarmAfterMs: min(54), keepMs: min(67.1) });
    assert.ok(
      histogram.samples < 400,
      'a week of one in an hour counts 168, those before it half as much and so on',
    );
  });

  it('is bounded, and of what is in steady use forgets as much as was new', () => {
    const histogram = of([0.5], 10_000);
    assert.ok(histogram.samples <= 2_048);
    for (let i = 0; i < 2_000; i++) histogram.add(min(5), 0);
    assert.equal(histogram.verdict()!.prewarmAfterMs, 0);
    for (let i = 0; i < 6_000; i++) histogram.add(min(5), 0);
    assert.equal(histogram.verdict()!.prewarmAfterMs, min(4.5));
  });

  it('judges anew when there is a sixteenth more, and not for each', () => {
    const histogram = of([30], 64);
    const before = histogram.verdict();
    for (let i = 0; i < 4; i++) histogram.add(min(90), 0);
    assert.equal(histogram.verdict(), before);
    for (let i = 0; i < 2; i++) histogram.add(min(90), 0);
    assert.equal(histogram.verdict()!.keepMs, min(91 * 1.1));
  });
});
