import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { unitFacts, usageLines, type Ran } from '../advisor/testing/usage-export.ts';
import { askedOf } from './advise-requests.ts';

const HOUR_MS = 3_600_000;

test('how much of the usage has been read is told line by line', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'fulcrum-advise-'));
  t.after(() => rm(folder, { recursive: true, force: true }));
  const file = join(folder, 'usage.jsonl');
  const ran = Array.from({ length: 200 }, (_, i): Ran => ({
    component: 'cart',
    mode: 'service',
    atMs: i * 60_000,
    durationMs: 40,
    cpuMs: 10,
  }));
  const lines = usageLines(ran, { spanMs: 4 * HOUR_MS, facts: [unitFacts({ unit: 'cart' })] });
  await writeFile(file, lines.map((line) => `${JSON.stringify(line)}\n`).join(''));
  const told: [what: string, share: number][] = [];
  const asked = await askedOf(null, { trace: [file], seed: 1 }, (what, share) => told.push([what, share]));
  assert.equal(asked.requests.length, 1);
  assert.ok(told.every(([what], i) => what === 'Reading' && (i === 0 || told[i - 1]![1] <= told[i]![1])));
  assert.deepEqual([told[0]![1], told.at(-1)![1]], [0, 1]);
  assert.ok(new Set(told.map(([, share]) => share)).size > 5, JSON.stringify(told));
});
