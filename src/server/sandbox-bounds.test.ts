import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { RunnableSpec } from '../model/app.ts';
import { sandboxBounds } from './sandbox-bounds.ts';

const MB = 1024 * 1024;

function spec(maxInstances: number, replicas: number, memoryMb = 128): RunnableSpec {
  const memoryBytes = memoryMb * MB;
  return {
    function: { maxInstances, memoryBytes },
    service: { maxReplicas: replicas, memoryBytes },
    weight: 1,
  } as RunnableSpec;
}

test('memory is that of all instances there may be, and never all of the machine', () => {
  const machine = 4096 * MB;
  assert.equal(sandboxBounds(spec(2, 1), machine).memoryBytes, (2 * 128 + 256) * MB);
  assert.equal(
    sandboxBounds(spec(1, 3), machine).memoryBytes,
    (6 * 128 + 256) * MB,
    'two revisions at a time',
  );
  assert.equal(sandboxBounds(spec(100, 1), machine).memoryBytes, Math.floor(0.8 * machine));
});

test('processes grow with instances, within bounds', () => {
  const processes = (max: number): number => sandboxBounds(spec(max, 1), 1).processes;
  assert.deepEqual([processes(1), processes(100), processes(1_000)], [256 + 64, 256 + 3_200, 8_192]);
});

test('temporary files take a quarter of a small machine at most', () => {
  assert.equal(sandboxBounds(spec(1, 1), 1024 * MB).tmpBytes, 256 * MB);
  assert.equal(sandboxBounds(spec(1, 1), 64 * 1024 * MB).tmpBytes, 512 * MB);
});
