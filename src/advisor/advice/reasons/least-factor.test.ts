import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { leastFactor } from './least-factor.ts';

test('the least factor is found to some percent, and holds', () => {
  fc.assert(
    fc.property(fc.double({ min: 1.01, max: 99, noNaN: true }), (border) => {
      const found = leastFactor((factor) => factor >= border, 'more')!;
      assert.ok(found >= border && found <= border * 1.08, `${found} of ${border}`);
      const less = leastFactor((factor) => factor <= 1 / border, 'less')!;
      assert.ok(less <= 1 / border && less >= 1 / border / 1.08, `${less} of ${1 / border}`);
    }),
    { seed: 7, numRuns: 200 },
  );
});

test('what a hundredfold does not bring is not looked for', () => {
  let asked = 0;
  assert.equal(
    leastFactor(() => {
      asked++;
      return false;
    }, 'more'),
    null,
  );
  assert.equal(asked, 2);
});
