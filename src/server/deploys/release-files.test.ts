import assert from 'node:assert/strict';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { test, type TestContext } from 'node:test';
import type { Release } from '../../model/release.ts';
import { manifest } from '../../release/testing/release.ts';
import { ReleaseFiles } from './release-files.ts';

function place(t: TestContext): { data: string; files: ReleaseFiles; apps: () => string[] } {
  const data = realpathSync(mkdtempSync(join(tmpdir(), 'fulcrum-release-files-')));
  t.after(() => rmSync(data, { recursive: true }));
  for (const path of ['apps/shop/storage/data/kept', 'apps/other/storage/x']) {
    mkdirSync(dirname(join(data, path)), { recursive: true });
    writeFileSync(join(data, path), 'kept');
  }
  const blobs = {
    path: (digest: string) => {
      const path = join(data, digest);
      const content = manifest().files.find((each) => each.kind === 'file' && each.digest === digest)!.path;
      writeFileSync(path, content.endsWith('.map') ? '{}' : content);
      return Promise.resolve(path);
    },
  };
  const files = new ReleaseFiles({ dataDirectory: data, blobs, secrets: () => Promise.resolve(new Map()) });
  return { data, files, apps: () => readdirSync(join(data, 'apps')).toSorted() };
}

const KILLED = new Error('killed');
const nothing = (): Promise<void> => Promise.resolve();

test('an app that is removed leaves nothing for the next of its name', async (t) => {
  const { data, files, apps } = place(t);
  const kept = join(data, 'apps/shop/storage/data/kept');
  await files.removeWith(
    'shop',
    () => Promise.resolve(assert.ok(!existsSync(kept), 'out of its place before the record goes')),
    nothing,
  );
  assert.deepEqual(apps(), ['other']);
  await files.removeWith('never-deployed', nothing, nothing);
});

test('where the record cannot be removed all is as before', async (t) => {
  const { data, files, apps } = place(t);
  await assert.rejects(
    files.removeWith('shop', () => Promise.reject(KILLED), nothing),
    KILLED,
  );
  assert.deepEqual(apps(), ['other', 'shop']);
  assert.equal(readFileSync(join(data, 'apps/shop/storage/data/kept'), 'utf8'), 'kept');
});

test('a removal that ended half-way goes on with the next start, or back where the app is still there', async (t) => {
  for (const there of [false, true]) {
    const { data, files, apps } = place(t);
    await assert.rejects(
      files.removeWith('shop', nothing, () => Promise.reject(KILLED)),
      KILLED,
    );
    assert.equal(apps().length, 2);
    await files.settleRemovals(new Set(there ? ['shop', 'other'] : ['other']));
    assert.deepEqual(apps(), there ? ['other', 'shop'] : ['other']);
    assert.equal(existsSync(join(data, 'apps/shop/storage/data/kept')), there);
  }
});

test('what lies under the name of a new app is not its own, and is kept aside', async (t) => {
  const { files, apps, data } = place(t);
  const aside = await files.setAside('shop');
  assert.equal(readFileSync(join(aside!, 'storage/data/kept'), 'utf8'), 'kept');
  assert.ok(!existsSync(join(data, 'apps/shop')));
  assert.equal(await files.setAside('shop'), null);
  // A store that is not the right one, or empty: nothing is lost by it.
  await files.settleRemovals(new Set());
  assert.equal(apps().length, 2);
  assert.ok(existsSync(aside!));
});

test('other users of the machine see no names, and nothing that is stored', async (t) => {
  const { data, files } = place(t);
  const stores = { name: 'shop', components: { hello: { entry: './hello.ts', storage: ['./data'] } } };
  const right = { ...manifest(), config: stores };
  const release = { app: 'shop', number: 1, manifest: right } as Release;
  await files.prepare(release);
  const mode = (path: string): number => statSync(join(data, path)).mode & 0o777;
  assert.deepEqual(
    ['apps', 'apps/shop', 'apps/shop/releases', 'apps/shop/storage'].map(mode),
    [0o711, 0o711, 0o711, 0o700],
  );
});
