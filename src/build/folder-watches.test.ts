import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';

import { FolderWatches } from './folder-watches.ts';

void test('a folder that was replaced by another of the same name is watched as the new one', async (t) => {
  const directory = realpathSync(mkdtempSync(join(tmpdir(), 'fulcrum-watch-')));
  const folder = join(directory, 'src');
  const heard: (string | null)[] = [];
  let onHeard: () => void = () => undefined;
  const watches = new FolderWatches((path) => {
    heard.push(path);
    onHeard();
  });
  const alive = setInterval(() => undefined, 1_000);
  t.after(() => {
    clearInterval(alive);
    watches.close();
    rmSync(directory, { recursive: true, force: true });
  });
  mkdirSync(folder);
  watches.set([folder]);
  // Both at once, so that nobody has looked in between; and the name of the old one is still taken while the new one is made.
  mkdirSync(join(directory, 'other'));
  rmSync(folder, { recursive: true });
  mkdirSync(folder);
  watches.set([folder]);
  writeFileSync(join(folder, 'new.ts'), '1');
  while (!heard.includes(join(folder, 'new.ts'))) await new Promise<void>((resolve) => (onHeard = resolve));
});

void test('where the folder does not exist, the nearest one above it is watched', async (t) => {
  const directory = realpathSync(mkdtempSync(join(tmpdir(), 'fulcrum-watch-')));
  const { promise, resolve } = Promise.withResolvers<string | null>();
  const watches = new FolderWatches(resolve);
  const alive = setInterval(() => undefined, 1_000);
  t.after(() => {
    clearInterval(alive);
    watches.close();
    rmSync(directory, { recursive: true, force: true });
  });
  watches.set([join(directory, 'a', 'b', 'c')]);
  mkdirSync(join(directory, 'a'));
  assert.equal(await promise, join(directory, 'a'));
});
