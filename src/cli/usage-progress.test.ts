import assert from 'node:assert/strict';
import { Readable } from 'node:stream';
import { test } from 'node:test';
import { usageLines } from '../control/fixtures/usage-lines.ts';
import type { UsageLine } from '../model/usage-export.ts';
import { withReadingBar } from './usage-progress.ts';
import { withBar } from './with-bar.ts';

const SPAN = { fromMs: Date.UTC(2026, 0, 1), toMs: Date.UTC(2026, 0, 2), component: null, facts: true };

test('a bar of what is read goes from the beginning to the end and never back, and every line comes through', async () => {
  const shares: number[] = [];
  const lines = usageLines(SPAN);
  const bar = { set: (_: string, share: number): void => void shares.push(share) };
  const come: UsageLine[] = [];
  for await (const line of withReadingBar(Readable.from(lines) as AsyncIterable<UsageLine>, bar))
    come.push(line);
  assert.deepEqual(come, lines);
  assert.equal(shares.length, lines.length);
  assert.equal(shares[0], 0);
  assert.equal(shares.at(-1), 1);
  assert.ok(shares.every((share, i) => i === 0 || share >= shares[i - 1]!));
  // Components and time move it, and not its end alone.
  assert.ok(new Set(shares).size > 5, `${new Set(shares).size} steps`);
});

test('a bar is taken away before whatever comes next, though the work fails', async () => {
  for (const fails of [false, true]) {
    const written: string[] = [];
    const listeners = process.listenerCount('exit');
    const output = { isTerminal: true, width: 80, write: (text: string) => written.push(text) };
    const work = withBar(async (bar) => {
      bar.set('Replaying', 0.5);
      await Promise.resolve();
      if (fails) throw new Error('no');
      return 7;
    }, output);
    if (fails) await assert.rejects(work, /^Error: no$/);
    else assert.equal(await work, 7);
    assert.equal(written.length, 2);
    assert.equal(written[1], '\r\u001B[K');
    assert.equal(process.listenerCount('exit'), listeners);
  }
});
