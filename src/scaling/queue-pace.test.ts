import assert from 'node:assert/strict';
import { test } from 'node:test';
import { QueuePace } from './queue-pace.ts';

/** One is served every `eachMs` from a queue that is never empty. @returns when it ended. */
function serve(pace: QueuePace, fromMs: number, eachMs: number, count: number): number {
  let nowMs = fromMs;
  for (let i = 0; i < count; i++) pace.served((nowMs += eachMs));
  return nowMs;
}

test('the time is that of the queue’s length at the rate that it is served, from 1 to 30 s', () => {
  const pace = new QueuePace();
  pace.began(0);
  const nowMs = serve(pace, 0, 100, 200);
  assert.equal(pace.waitS(100, nowMs), 10);
  assert.equal(pace.waitS(5, nowMs), 1);
  assert.equal(pace.waitS(1_000, nowMs), 30);
});

test('a queue that has just begun says 1 s, and one that nobody is served from ever more', () => {
  const pace = new QueuePace();
  pace.began(0);
  assert.equal(pace.waitS(1_000, 50), 1);
  assert.equal(pace.waitS(2, 4_000), 7);
  assert.equal(pace.waitS(1_000, 4_000), 30);
});

test('time in which nobody waits does not make it slow', () => {
  const pace = new QueuePace();
  pace.began(0);
  const nowMs = serve(pace, 0, 50, 200);
  pace.emptied(nowMs);
  // Somebody asks while nobody waits.
  assert.equal(pace.waitS(0, nowMs + 1_800_000), 1);
  pace.began(nowMs + 3_600_000);
  assert.equal(pace.waitS(100, nowMs + 3_600_001), 5);
});

test('what was long ago counts little', () => {
  const pace = new QueuePace();
  pace.began(0);
  const nowMs = serve(pace, serve(pace, 0, 1, 20_000), 1_000, 120);
  const waitS = pace.waitS(10, nowMs);
  assert.ok(waitS >= 8 && waitS <= 10, `${waitS} s`);
});
