import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FakeClock } from '../base/fake-clock.ts';
import { RequestBody, tooLarge } from './request-body.ts';

test('a body that is paused is held at once, before anything has to be copied', () => {
  const told: string[] = [];
  const body = new RequestBody({
    lengthBytes: 10,
    limitBytes: 100,
    tooLarge,
    watch: { idleMs: 1_000, minBytesPerS: 0, minRateGraceMs: 0 },
    clock: new FakeClock(),
    wanted: () => undefined,
    hold: () => told.push('hold'),
    flow: () => told.push('flow'),
    failed: () => undefined,
  });
  body.read({ data: () => body.pause(), end: () => told.push('end'), fail: () => undefined });
  body.push(Buffer.alloc(5));
  body.resume();
  assert.deepEqual(told, ['flow', 'hold', 'flow']);
  body.push(Buffer.alloc(5));
  body.whole();
  body.pause();
  body.resume();
  assert.deepEqual(told, ['flow', 'hold', 'flow', 'hold', 'end']);
});
