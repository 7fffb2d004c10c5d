import assert from 'node:assert/strict';
import { test } from 'node:test';
import { TransferWatch } from './transfer-watch.ts';

const LIMITS = { idleMs: 1_000, minBytesPerS: 100, minRateGraceMs: 2_000 };

test('a transfer that stands still is told, one that moves is not', () => {
  const watch = new TransferWatch(LIMITS);
  watch.start(0, 0);
  assert.equal(watch.look(0, 999), null);
  assert.equal(watch.look(1, 999), null);
  assert.equal(watch.look(1, 1_998), null);
  assert.equal(watch.look(1, 1_999), 'stood still for 1s');
});

test('a transfer that drips is told once its time to begin is over', () => {
  const watch = new TransferWatch(LIMITS);
  watch.start(0, 0);
  let bytes = 0;
  let wrong: string | null = null;
  let atMs = 0;
  while (wrong === null) wrong = watch.look(++bytes, (atMs += 500));
  assert.equal(wrong, 'went slower than 100 bytes a second');
  // A byte each 500 ms: by 2.5 s there were to be 50.
  assert.equal(atMs, 2_500);
});

test('one at just the least rate goes on for ever', () => {
  const watch = new TransferWatch(LIMITS);
  watch.start(0, 0);
  for (let s = 1; s <= 3_600; s++) assert.equal(watch.look(s * 100, s * 1_000), null);
});

test('time in which our own side holds it up does not count', () => {
  const watch = new TransferWatch(LIMITS);
  watch.start(0, 0);
  assert.equal(watch.look(10, 500), null);
  watch.stop();
  assert.equal(watch.look(10, 100_000), null);
  watch.start(10, 100_000);
  assert.equal(watch.look(10, 100_500), null);
  assert.equal(watch.look(20, 101_000), null);
});
