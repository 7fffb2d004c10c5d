import assert from 'node:assert/strict';
import { test } from 'node:test';
import { usageRecord } from '../../test/conformance/usage-record.ts';
import { requestId } from '../base/ids.ts';
import { isRemarkable, keepsRow } from './row-choice.ts';

test('errors, cold starts and server errors that a handler chose itself are remarkable', () => {
  assert.equal(isRemarkable(usageRecord()), false);
  assert.equal(isRemarkable(usageRecord({ status: 404 })), false);
  assert.equal(isRemarkable(usageRecord({ cold: true })), true);
  assert.equal(isRemarkable(usageRecord({ outcome: 'crashed' })), true);
  assert.equal(isRemarkable(usageRecord({ status: 503 })), true);
});

test('a remarkable record is kept; of the others one in so many, by the request id alone', () => {
  let kept = 0;
  for (let i = 0; i < 20_000; i++) {
    const id = `r_${i.toString(32).padStart(20, '0')}`;
    assert.equal(keepsRow(usageRecord({ requestId: id, cold: true }), 0, 100), true);
    const one = keepsRow(usageRecord({ requestId: id }), 0, 100);
    assert.equal(keepsRow(usageRecord({ requestId: id, component: 'cart', durationMs: 9 }), 0, 100), one);
    if (one) kept++;
  }
  assert.ok(kept > 120 && kept < 290, `${kept} of 20,000`);
});

test('a storm of errors is thinned out, and the rows that are kept come from all of it', () => {
  let kept = 0;
  let last = 0;
  for (let i = 0; i < 100_000; i++) {
    if (!keepsRow(usageRecord({ outcome: 'crashed', requestId: requestId() }), kept, 100)) continue;
    kept++;
    last = i;
  }
  assert.ok(kept >= 64 && kept < 1_500, `${kept} rows`);
  assert.ok(last > 50_000, `the last one was number ${last}`);
});
