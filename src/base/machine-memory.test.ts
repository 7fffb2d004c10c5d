import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isPressed, machineBytes, machineMemory } from './machine-memory.ts';

test('a machine is pressed with less than a tenth of its memory available', () => {
  assert.equal(isPressed({ availableBytes: 99, totalBytes: 1_000 }), true);
  assert.equal(isPressed({ availableBytes: 100, totalBytes: 1_000 }), false);
});

test('what is measured of this machine is sane', () => {
  const { availableBytes, totalBytes } = machineMemory();
  assert.equal(totalBytes, machineBytes());
  assert.ok(availableBytes > 0 && availableBytes <= totalBytes);
});
