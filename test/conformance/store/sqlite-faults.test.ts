import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtemp, rm, statfs, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { test } from 'node:test';
import { systemClock } from '../../../src/base/clock.ts';
import { backupStore } from '../../../src/store/backup.ts';
import { hasCode } from './support/has-code.ts';
import { openPlace } from './support/store-under-test.ts';
import {
  contentOf,
  digestOf,
  fileOf,
  newApp,
  newRelease,
  putContent,
  readContent,
} from './support/things.ts';

const MB = 1024 ** 2;

test('a full disk: an upload is refused and leaves nothing, what is there stays, and it goes on once there is room', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'fulcrum-small-'));
  const mount = spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=24m', 'tmpfs', folder]);
  if (mount.status !== 0) {
    await rm(folder, { recursive: true });
    return t.skip('a small file system cannot be mounted here: that takes root');
  }
  const path = join(folder, 'store.db');
  const store = await openPlace(path);
  try {
    await store.apps.create(newApp());
    const kept = contentOf(2 * MB);
    await putContent(store.blobs, kept);
    await store.releases.add(newRelease([fileOf(kept)]));
    const large = contentOf(30 * MB);
    await assert.rejects(putContent(store.blobs, large), hasCode('store-failed', /The disk is full/));
    assert.deepEqual(await store.blobs.missing([large.digest, kept.digest]), [large.digest]);
    assert.equal(digestOf((await readContent(store.blobs, kept.digest))!), kept.digest);
    await assert.rejects(
      backupStore({ store: path, file: join(folder, 'b.db'), clock: systemClock }),
      hasCode('store-failed', /The disk is full/),
    );
    const { bavail, bsize } = await statfs(folder);
    const filler = join(folder, 'filler');
    await writeFile(filler, Buffer.alloc(Math.max(0, bavail * bsize - 4_096)));
    await rm(filler);

    // What the upload has left makes room once it is swept.
    const nextDay = Date.now() + 86_400_000;
    await store.blobs.sweep(nextDay);
    const next = contentOf(5 * MB);
    await putContent(store.blobs, next);
    assert.equal((await store.releases.add(newRelease([fileOf(next)]))).number, 2);
  } finally {
    await store.close();
    spawnSync('umount', [folder]);
    await rm(folder, { recursive: true, force: true });
  }
});

test('a piece that is damaged or gone in the store is told when it is read, not handed out', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'fulcrum-store-'));
  t.after(() => rm(folder, { recursive: true, force: true }));
  const path = join(folder, 'store.db');
  const store = await openPlace(path);
  t.after(() => store.close());
  const harms: [string, RegExp][] = [
    ['DELETE FROM blob_pieces WHERE number = 1', /its piece 1 of 3 is missing/],
    ["UPDATE blob_pieces SET bytes = x'00' WHERE number = 1", /has \d+ bytes instead of|cannot be unpacked/],
    [
      "UPDATE blob_pieces SET encoding = 'zstd' WHERE number = 0 AND encoding = 'raw'",
      /piece 0 cannot be unpacked/,
    ],
    ["UPDATE blob_pieces SET encoding = 'rot13'", /piece 0 cannot be unpacked: 'rot13' is no encoding/],
    ['UPDATE blob_pieces SET bytes = zeroblob(1048576) WHERE number = 0', /its SHA-256 is/],
  ];
  for (const [harm, sentence] of harms) {
    const content = contentOf(3 * MB);
    await putContent(store.blobs, content);
    const database = new DatabaseSync(path);
    database.exec(harm);
    database.close();
    await assert.rejects(readContent(store.blobs, content.digest), hasCode('store-failed', sentence));
    await store.blobs.sweep(Date.now() + 86_400_000);
  }
});
