import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fineMoney, fineNumber } from './amounts.ts';

test('little is shown with two digits that matter, and nothing as nothing', () => {
  for (const [amount, text] of [
    [0, '$0.00'],
    [1_234.567, '$1,234.57'],
    [0.125, '$0.13'],
    [0.1, '$0.10'],
    [0.0994, '$0.099'],
    [0.01234, '$0.012'],
    [0.0000004567, '$0.00000046'],
    [1e-14, '$0.0000000000'],
    [-0.012, '$-0.012'],
  ] as const) {
    assert.equal(fineMoney(amount, 'USD'), text);
  }
  assert.equal(fineMoney(0.0012, 'EUR'), 'EUR 0.0012');
  assert.deepEqual([0, 12, 0.5, 0.01, 0.00123].map(fineNumber), ['0', '12', '0.5', '0.01', '0.0012']);
});
