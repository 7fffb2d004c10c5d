import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { test } from 'node:test';
import { startOf } from '../process-start.ts';
import { EarlierServers, heldBy } from './held-trees.ts';

test('what an earlier server uses is kept as long as it lives, and no longer', async () => {
  const child = spawn('/bin/sleep', ['1000']);
  await once(child, 'spawn');
  const earlier = new EarlierServers();
  const pid = child.pid!;
  earlier.add([{ pid, startedAt: startOf(pid), releases: { shop: [1, 2] } }]);
  earlier.add([heldBy([{ id: 'shop', live: [{ number: 3 }, { number: null }] }])]);
  assert.deepEqual(earlier.releasesOf('shop'), [1, 2, 3]);
  assert.deepEqual(earlier.releasesOf('blog'), []);
  child.kill('SIGKILL');
  await once(child, 'exit');
  assert.deepEqual(earlier.releasesOf('shop'), [3]);
  // Another process has its id.
  earlier.add([{ pid: process.pid, startedAt: '1', releases: { shop: [9] } }]);
  assert.deepEqual(earlier.releasesOf('shop'), [3]);
});
