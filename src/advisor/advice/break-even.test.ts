import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { breakEvenOf, breakEvenTimes } from './break-even.ts';

const between =
  (perTimes: number, fixed: number) =>
  (times: number): number =>
    Math.log((perTimes * times) / fixed);

describe('the break-even', () => {
  test('is where both cost the same, above and below the present traffic', () => {
    for (const times of [0.003, 0.4, 1, 4.2, 900]) {
      const found = breakEvenTimes(between(1 / times, 1), null)!;
      assert.ok(Math.abs(found / times - 1) < 0.001, `${times}: ${found}`);
    }
  });

  test('is the nearest of several', () => {
    const found = breakEvenTimes((times) => (times - 3) * (times - 50) * (times - 0.01), null)!;
    assert.ok(Math.abs(found - 3) < 0.01, `${found}`);
  });

  test('is none where one is always cheaper, or has no price', () => {
    assert.equal(
      breakEvenTimes(() => -0.2, null),
      null,
    );
    assert.equal(
      breakEvenTimes(() => null, null),
      null,
    );
  });

  test('is put right by replays', () => {
    const found = breakEvenTimes(between(1, 4), between(1, 4.6))!;
    assert.ok(Math.abs(found - 4.6) < 0.05, `${found}`);
    assert.ok(Math.abs(breakEvenTimes(between(1, 4), between(1, 400))! - 4) < 0.01);
  });

  test('has the band of the samples: more traffic is nearer to it', () => {
    const { band, perSecond } = breakEvenOf(4, 2, [0.5, 1, 2, 0]);
    assert.equal(perSecond, 8);
    assert.ok(band!.low < 4 && band!.high > 4);
  });
});
