import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { ClientBuckets } from './client-buckets.ts';

function ask(buckets: ClientBuckets, client: string, nowMs: number, times = 1): number {
  let admitted = 0;
  for (let i = 0; i < times; i++) {
    if (buckets.waitMs(client, nowMs) > 0) continue;
    buckets.take(client, nowMs);
    admitted++;
  }
  return admitted;
}

describe('buckets of clients', () => {
  it('are apart', () => {
    const buckets = new ClientBuckets({ rps: 1, burst: 3 });
    assert.equal(ask(buckets, 'a', 0, 10), 3);
    assert.equal(ask(buckets, 'b', 0, 10), 3);
    assert.equal(buckets.waitMs('a', 0), 1_000);
    assert.equal(ask(buckets, 'a', 1_000, 10), 1);
  });

  it('are forgotten when they are full again, and not before', () => {
    const buckets = new ClientBuckets({ rps: 1, burst: 2 }, 1_000);
    for (let i = 0; i < 500; i++) ask(buckets, `old ${i}`, 0);
    ask(buckets, 'greedy', 0, 2);
    // From 1,000 ms on all but one are full again; newcomers come one after the other.
    for (let i = 0; i < 600; i++) ask(buckets, `new ${i}`, 1_500);
    assert.ok(buckets.size < 650, `${buckets.size} are known`);
    assert.equal(buckets.waitMs('greedy', 1_500), 0);
    assert.equal(ask(buckets, 'greedy', 1_500, 5), 1, 'of its two it has one again');
  });

  it('cannot be had forgotten by a flood of addresses, which stays within its bound', () => {
    const buckets = new ClientBuckets({ rps: 1, burst: 2 }, 100);
    assert.equal(ask(buckets, 'victim', 0, 5), 2);
    let admitted = 0;
    for (let i = 0; i < 20_000; i++) admitted += ask(buckets, `flood ${i}`, 0, 3);
    assert.equal(buckets.size, 100);
    assert.equal(ask(buckets, 'victim', 0, 5), 0, 'its bucket is as empty as it was');
    // 99 of their own, and 1,024 that they share.
    assert.ok(admitted <= 2 * (99 + 1_024), `${admitted} were let in`);
    assert.ok(admitted >= 2 * 900, `${admitted} were let in`);
  });

  it('of those who had to share are no fresh ones when there is room again', () => {
    const buckets = new ClientBuckets({ rps: 0.1, burst: 2 }, 4);
    for (let i = 0; i < 4; i++) ask(buckets, `first ${i}`, 0);
    assert.equal(ask(buckets, 'late', 5_000, 5), 2);
    // The first are full again at 10,000; the latecomer has half a token by then.
    assert.equal(ask(buckets, 'late', 10_000, 5), 0);
    assert.equal(ask(buckets, 'another', 10_000, 5), 2);
    assert.equal(ask(buckets, 'late', 15_000, 5), 1);
    assert.ok(buckets.size <= 4);
  });

  it('keep what was taken when the rate changes', () => {
    const buckets = new ClientBuckets({ rps: 1, burst: 10 }, 1);
    ask(buckets, 'a', 0, 10);
    ask(buckets, 'sharing', 0, 10);
    buckets.change({ rps: 2, burst: 4 }, 0);
    assert.equal(buckets.waitMs('a', 0), 500);
    assert.equal(buckets.waitMs('sharing', 0), 500);
  });
});
