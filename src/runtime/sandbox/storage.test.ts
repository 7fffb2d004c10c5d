import assert from 'node:assert/strict';
import { once } from 'node:events';
import { chownSync, lstatSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { Worker } from 'node:worker_threads';
import { giveStorage } from './storage.ts';

const skip = process.getuid?.() === 0 ? false : 'only root can give files away';

test('what is stored becomes the component’s, and nothing beside it', { skip }, async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'fulcrum-storage-'));
  t.after(() => rmSync(folder, { recursive: true }));
  mkdirSync(join(folder, 'data', 'inner'), { recursive: true });
  writeFileSync(join(folder, 'data', 'inner', 'file'), '');
  writeFileSync(join(folder, 'outside'), '');
  symlinkSync('../outside', join(folder, 'data', 'link'));
  chownSync(join(folder, 'data'), 0, 7);
  await giveStorage([join(folder, 'data'), join(folder, 'missing')], 1_900_000_009);
  const ownerOf = (...names: string[]): number => lstatSync(join(folder, ...names)).uid;
  for (const names of [['data'], ['data', 'inner'], ['data', 'inner', 'file'], ['data', 'link']]) {
    assert.equal(ownerOf(...names), 1_900_000_009, names.join('/'));
  }
  assert.equal(ownerOf('outside'), 0);
  assert.equal(lstatSync(join(folder, 'data')).gid, 7);
});

test(
  'a folder that is swapped for a link meanwhile leads nowhere, and stops nothing',
  { skip },
  async (t) => {
    const folder = mkdtempSync(join(tmpdir(), 'fulcrum-storage-'));
    mkdirSync(join(folder, 'data', 'inner'), { recursive: true });
    mkdirSync(join(folder, 'outside'));
    writeFileSync(join(folder, 'data', 'inner', 'file'), '');
    writeFileSync(join(folder, 'outside', 'file'), '');
    symlinkSync(join(folder, 'outside'), join(folder, 'link'));
    // Swaps them without a pause, as a component could that runs meanwhile.
    const swapping = `
    const { renameSync } = require('node:fs');
    const { parentPort, workerData: folder } = require('node:worker_threads');
    const [inner, link, aside] = ['data/inner', 'link', 'aside'].map((name) => folder + '/' + name);
    parentPort.postMessage('up');
    for (;;) {
      renameSync(inner, aside);
      renameSync(link, inner);
      renameSync(inner, link);
      renameSync(aside, inner);
    }`;
    const swapper = new Worker(swapping, { eval: true, workerData: folder });
    t.after(async () => {
      await swapper.terminate();
      rmSync(folder, { recursive: true });
    });
    await once(swapper, 'message');
    for (let round = 0; round < 300; round++) await giveStorage([join(folder, 'data')], 1_900_000_009);
    const owners = ['outside', join('outside', 'file')].map((name) => lstatSync(join(folder, name)).uid);
    assert.deepEqual(owners, [0, 0]);
  },
);
