import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import {
  chmod,
  link,
  mkdir,
  mkdtemp,
  readdir,
  readFile,
  rm,
  stat,
  truncate,
  utimes,
  writeFile,
} from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { hasCode } from '../../test/conformance/store/support/has-code.ts';
import { contentOf, putContent, type Content } from '../../test/conformance/store/support/things.ts';
import { systemClock } from '../base/clock.ts';
import { FakeClock } from '../base/fake-clock.ts';
import { silentLogger } from '../base/log.ts';
import type { BlobStore } from '../model/blob-store.ts';
import { BlobCache, type BlobCacheOptions } from './blob-cache.ts';
import { openSqliteStore } from './sqlite-store.ts';

test('a file of the store is given as a path, read-only, and asked of the store once', async (t) => {
  const world = await World.make(t);
  const content = await world.put(3_000_000);
  const cache = await world.cache();
  const paths = await Promise.all(Array.from({ length: 20 }, () => cache.path(content.digest)));
  assert.equal(new Set(paths).size, 1);
  assert.equal(Buffer.compare(await readFile(paths[0]!), content.bytes), 0);
  assert.equal((await stat(paths[0]!)).mode & 0o777, 0o444);
  await cache.path(content.digest);
  assert.equal(world.gets, 1);
  assert.deepEqual(await readdir(join(world.folder, 'drafts')), []);
  assert.equal(cache.sizeBytes, 3_000_000);
});

test('an empty file is a file', async (t) => {
  const world = await World.make(t);
  const { digest } = await world.put(0);
  assert.equal((await readFile(await (await world.cache()).path(digest))).length, 0);
});

test('one that was deleted, cut off, changed or replaced by a folder is fetched again', async (t) => {
  const world = await World.make(t);
  const content = await world.put(10_000);
  const cache = await world.cache();
  const path = await cache.path(content.digest);
  const harms: (() => Promise<unknown>)[] = [
    () => rm(path),
    () => chmod(path, 0o644).then(() => truncate(path, 5)),
    // A later time, as any write gives it.
    () =>
      chmod(path, 0o644)
        .then(() => writeFile(path, new Uint8Array(10_000)))
        .then(() => utimes(path, 1, 1)),
    () => rm(path).then(() => mkdir(path)),
    () => rm(join(path, '..'), { recursive: true }),
  ];
  for (const [i, harm] of harms.entries()) {
    await harm();
    assert.equal(await cache.path(content.digest), path);
    assert.equal(Buffer.compare(await readFile(path), content.bytes), 0, `harm ${i}`);
    assert.equal(world.gets, i + 2);
  }
  assert.equal(cache.sizeBytes, 10_000);
});

test('after a start each is checked before it is believed, and a sound one is not fetched', async (t) => {
  const world = await World.make(t);
  const [sound, damaged] = [await world.put(1_000), await world.put(1_000)];
  const before = await world.cache();
  const paths = [await before.path(sound.digest), await before.path(damaged.digest)] as const;
  const { mtime, atime } = await stat(paths[1]);
  await chmod(paths[1], 0o644);
  await writeFile(paths[1], new Uint8Array(1_000));
  await utimes(paths[1], atime, mtime);
  const cache = await world.cache();
  assert.equal(cache.sizeBytes, 2_000);
  for (const [i, content] of [sound, damaged].entries()) {
    assert.equal(Buffer.compare(await readFile(await cache.path(content.digest)), content.bytes), 0);
    assert.equal(world.gets, 2 + i);
  }
});

test('the least recently used go first, but none that was given within the last minute', async (t) => {
  const world = await World.make(t);
  const clock = new FakeClock();
  const cache = await world.cache({ clock, maxBytes: 3_500 });
  const contents: Content[] = [];
  for (let i = 0; i < 3; i++) {
    contents.push(await world.put(1_000));
    await cache.path(contents[i]!.digest);
    await clock.advance(1_000);
  }
  const linked = join(world.folder, '..', 'linked');
  await link(await cache.path(contents[1]!.digest), linked);
  // All are young: more than is allowed for a moment.
  contents.push(await world.put(1_000));
  await cache.path(contents[3]!.digest);
  assert.equal(cache.sizeBytes, 4_000);
  await clock.advance(61_000);
  await cache.path(contents[0]!.digest);
  assert.equal(cache.sizeBytes, 3_000, 'the third was the least recently used');
  const gets = world.gets;
  for (const i of [0, 1, 3]) await cache.path(contents[i]!.digest);
  assert.equal(world.gets, gets);
  await cache.path(contents[2]!.digest);
  assert.equal(world.gets, gets + 1);
  assert.equal(Buffer.compare(await readFile(linked), contents[1]!.bytes), 0);
});

test('what the store does not have, has damaged, or gives wrongly is told and leaves nothing', async (t) => {
  const world = await World.make(t);
  const [lost, right, wrong] = [contentOf(10), await world.put(10), await world.put(10)];
  const cache = await world.cache({
    blobs: {
      get: (digest) => world.blobs.get(digest === right.digest ? wrong.digest : digest),
    },
  });
  await assert.rejects(cache.path(lost.digest), hasCode('store-failed', /is not in the store/));
  await assert.rejects(cache.path(right.digest), hasCode('store-failed', /is something else/));
  await assert.rejects(cache.path('../../etc/passwd'), hasCode('store-failed', /no SHA-256/));
  assert.deepEqual(await readdir(world.folder), ['drafts']);
  assert.deepEqual(await readdir(join(world.folder, 'drafts')), []);
});

test('drafts of a process that was killed go, those of one that runs stay', async (t) => {
  const world = await World.make(t);
  await world.cache();
  const [old, young] = ['old', 'young'].map((name) => join(world.folder, 'drafts', name));
  for (const path of [old!, young!]) await writeFile(path, 'x');
  await utimes(old!, 1, 1);
  await world.cache();
  assert.deepEqual(await readdir(join(world.folder, 'drafts')), ['young']);
});

test('a full disk is told, leaves nothing half written, and is over once there is room', async (t) => {
  const world = await World.make(t);
  const mounted = join(world.folder, '..', 'small');
  await mkdir(mounted);
  const mount = spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=2m', 'tmpfs', mounted]);
  if (mount.status !== 0) return t.skip('a small file system cannot be mounted here: that takes root');
  try {
    const content = await world.put(1_500_000);
    const filler = join(mounted, 'filler');
    await writeFile(filler, Buffer.alloc(1_000_000));
    const cache = await world.cache({ folder: join(mounted, 'blobs') });
    await assert.rejects(cache.path(content.digest), hasCode('store-failed', /The disk is full/));
    assert.deepEqual(await readdir(join(mounted, 'blobs', 'drafts')), []);
    assert.equal(cache.sizeBytes, 0);
    await rm(filler);
    assert.equal(Buffer.compare(await readFile(await cache.path(content.digest)), content.bytes), 0);
  } finally {
    spawnSync('umount', [mounted]);
  }
});

/** A store with files, and where the caches of it are. */
class World {
  readonly folder: string;
  readonly blobs: BlobStore;
  gets = 0;

  static async make(t: TestContext): Promise<World> {
    const folder = await mkdtemp(join(tmpdir(), 'fulcrum-store-'));
    const store = await openSqliteStore({
      path: join(folder, 's.db'),
      clock: systemClock,
      logger: silentLogger,
    });
    t.after(async () => {
      await store.close();
      await rm(folder, { recursive: true, force: true });
    });
    return new World(join(folder, 'blobs'), store.blobs);
  }

  private constructor(folder: string, blobs: BlobStore) {
    this.folder = folder;
    this.blobs = blobs;
  }

  async put(sizeBytes: number): Promise<Content> {
    const content = contentOf(sizeBytes);
    await putContent(this.blobs, content);
    return content;
  }

  cache(options: Partial<BlobCacheOptions> = {}): Promise<BlobCache> {
    const blobs = {
      get: (digest: string) => {
        this.gets++;
        return this.blobs.get(digest);
      },
    };
    return BlobCache.open({
      ...{ folder: this.folder, blobs, clock: systemClock, logger: silentLogger },
      ...options,
    });
  }
}
