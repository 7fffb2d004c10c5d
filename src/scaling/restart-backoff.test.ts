import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { RestartBackoff } from './restart-backoff.ts';

function delays(backoff: RestartBackoff, times: number, fromMs = 0): number[] {
  const found: number[] = [];
  let nowMs = fromMs;
  for (let i = 0; i < times; i++) {
    backoff.failed(nowMs);
    found.push(backoff.retryAtMs - nowMs);
    nowMs = backoff.retryAtMs;
  }
  return found;
}

describe('RestartBackoff', () => {
  it('doubles from 100 ms to 30 s and stays there', () => {
    assert.deepEqual(
      delays(new RestartBackoff(), 11),
      [100, 200, 400, 800, 1_600, 3_200, 6_400, 12_800, 25_600, 30_000, 30_000],
    );
  });

  it('waits for no more than 2 s where the machine had no room, and counts that apart', () => {
    const backoff = new RestartBackoff();
    const found: number[] = [];
    let nowMs = 0;
    for (const why of ['revision', 'revision', ...Array(7).fill('shortage'), 'revision'] as const) {
      backoff.failed(nowMs, why);
      found.push(backoff.retryAtMs - nowMs);
      nowMs = backoff.retryAtMs;
    }
    assert.deepEqual(found, [100, 200, 100, 200, 400, 800, 1_600, 2_000, 2_000, 100]);
    assert.equal(backoff.latest, 'revision');
  });

  it('stays bounded after any number of failures', () => {
    assert.equal(delays(new RestartBackoff(), 2_000).at(-1), 30_000);
  });

  it('counts failures at the same time once', () => {
    const backoff = new RestartBackoff();
    for (let i = 0; i < 10; i++) backoff.failed(i);
    assert.equal(backoff.failures, 1);
    assert.equal(backoff.retryAtMs, 100);
  });

  it('begins anew after a stable minute, and not before', () => {
    const backoff = new RestartBackoff();
    delays(backoff, 5);
    const retryAtMs = backoff.retryAtMs;
    backoff.failed(retryAtMs + 59_999);
    assert.equal(backoff.retryAtMs - (retryAtMs + 59_999), 3_200);
    const again = backoff.retryAtMs;
    backoff.failed(again + 60_000);
    assert.equal(backoff.retryAtMs - (again + 60_000), 100);
  });

  it('forgets after a success', () => {
    const backoff = new RestartBackoff();
    delays(backoff, 5);
    backoff.succeeded();
    assert.equal(backoff.failures, 0);
    assert.ok(backoff.retryAtMs < 0);
  });
});
