import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { Worker } from 'node:worker_threads';
import { openInside } from './open-inside.ts';

const skip = process.platform === 'linux' ? false : 'only Linux says where an open file lies';

test('a folder that becomes a link while a file in it is opened leads nowhere', { skip }, async (t) => {
  const folder = realpathSync(mkdtempSync(join(tmpdir(), 'fulcrum-inside-')));
  for (const name of ['public/up', 'outside']) {
    mkdirSync(join(folder, name), { recursive: true });
    writeFileSync(join(folder, name, 'file'), name);
  }
  symlinkSync(join(folder, 'outside'), join(folder, 'link'));
  // Swaps them without a pause, as a component could that stores in there.
  const swapping = `
    const { renameSync } = require('node:fs');
    const { parentPort, workerData: folder } = require('node:worker_threads');
    const [up, link, aside] = ['public/up', 'link', 'aside'].map((name) => folder + '/' + name);
    parentPort.postMessage('up');
    for (;;) {
      renameSync(up, aside);
      renameSync(link, up);
      renameSync(up, link);
      renameSync(aside, up);
    }`;
  const swapper = new Worker(swapping, { eval: true, workerData: folder });
  t.after(async () => {
    await swapper.terminate();
    rmSync(folder, { recursive: true });
  });
  await once(swapper, 'message');
  const seen = new Set<string>();
  for (let round = 0; round < 3_000; round++) {
    const opened = await openInside(join(folder, 'public'), ['up', 'file']);
    if (opened === null) continue;
    seen.add(await opened.handle.readFile('utf8'));
    await opened.handle.close();
  }
  assert.deepEqual([...seen], ['public/up']);
});
