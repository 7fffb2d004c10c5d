import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { test } from 'node:test';
import { floodRows, type FloodFound } from '../bench/flood-rows.ts';
import { runLoad } from '../bench/load-run.ts';

const FOUND: FloodFound = {
  limit: { rps: 100, burst: 100 },
  rounds: 8,
  seconds: 24,
  asked: 24_000,
  answered: 2_400 + 800,
  neighbours: [{ name: 'service', quietMs: 10, floodedMs: 15 }],
};
const judged = (part: Partial<FloodFound>): (boolean | undefined)[] =>
  floodRows({ ...FOUND, ...part }).map(({ ok }) => ok);

test('the benchmark of a flood is met only where there was one, and its limit held', () => {
  assert.deepEqual(judged({}), [true, true, undefined, true]);
  assert.deepEqual(judged({ neighbours: [{ name: 'service', quietMs: 10, floodedMs: 21 }] }), [
    true,
    true,
    undefined,
    false,
  ]);
  // 787 a second, as a hundred clients that pause for a tenth of a second made them.
  assert.deepEqual(judged({ asked: 787 * 24 }), [false, true, undefined, false]);
  assert.deepEqual(judged({ answered: 24_000 }), [true, false, undefined, false]);
});

test('a load of so many a second is asked for whether or not answers come', async (t) => {
  // Nobody is answered before all have asked: clients that wait for answers would never get there.
  const held: (() => void)[] = [];
  const server = createServer((_, response) => {
    held.push(() => response.end('ok'));
    if (held.length === 40) for (const answer of held) answer();
  }).listen(0, '127.0.0.1');
  t.after(() => server.close());
  await once(server, 'listening');
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
  const begunMs = performance.now();
  const { requests, failed } = await runLoad({ url, connections: 40, perSecond: 200, count: 40 });
  assert.deepEqual([requests, failed, held.length], [40, 0, 40]);
  // The last is due after 195 ms, and not with the first.
  assert.ok(performance.now() - begunMs >= 190);
});
