import assert from 'node:assert/strict';
import { PerformanceObserver } from 'node:perf_hooks';
import { test } from 'node:test';
import { setTimeout as wait } from 'node:timers/promises';
import { youngCopy } from './young-memory.ts';

test('what handlers have let go is collected by short collections, and their code sees nothing of it', async () => {
  const kinds: number[] = [];
  const observer = new PerformanceObserver((list) => {
    for (const entry of list.getEntries() as (PerformanceEntry & { detail: { kind: number } })[]) {
      kinds.push(entry.detail.kind);
    }
  });
  observer.observe({ entryTypes: ['gc'] });
  const piece = Buffer.alloc(64 * 1024, 'x');
  const first = youngCopy(piece);
  for (let i = 0; i < 4_000; i++) {
    youngCopy(piece);
    if (i % 16 === 0) await new Promise(setImmediate);
  }
  await wait(20);
  observer.disconnect();
  const short = kinds.filter((kind) => kind === 1).length;
  const long = kinds.filter((kind) => kind === 4).length;
  assert.ok(short >= 50, `${short} short collections for 250 MB`);
  assert.ok(long < short / 5, `${long} of the whole heap`);
  assert.equal('gc' in globalThis, false);
  assert.equal(first.equals(piece), true);
  assert.notEqual(first.buffer, piece.buffer);
});
