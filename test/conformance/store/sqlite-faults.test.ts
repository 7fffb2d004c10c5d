import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtemp, rm, statfs, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { test } from 'node:test';
import { systemClock } from '../../../src/base/clock.ts';
import { backupStore } from '../../../src/store/backup.ts';
import { EventUser, newWork, settlementOf } from './support/event-things.ts';
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

test('a full disk: publishing fails clearly and by the whole, what was kept stays, and it goes on once there is room', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'fulcrum-small-'));
  const mount = spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=24m', 'tmpfs', folder]);
  if (mount.status !== 0) {
    await rm(folder, { recursive: true });
    return t.skip('a small file system cannot be mounted here: that takes root');
  }
  const store = await openPlace(join(folder, 'store.db'));
  const user = new EventUser(store.events);
  try {
    await user.publish(newWork('first', { leaseFor: ['receipts'] }));
    const filler = join(folder, 'filler');
    const { bavail, bsize } = await statfs(folder);
    await writeFile(filler, Buffer.alloc(bavail * bsize - 2 * MB));
    const data = contentOf(100_000).bytes;
    const first = settlementOf({ app: 'shop', component: 'receipts', id: 'first', attempt: 1 });
    let kept = 0;
    const publishing = async (): Promise<void> => {
      for (let round = 0; round < 100; round++) {
        await user.publish(...[0, 1, 2, 3].map((i) => newWork(`${round}-${i}`, { data })));
        kept += 4;
      }
    };
    await assert.rejects(
      publishing(),
      hasCode('store-failed', /The disk is full.*writing goes on by itself/),
    );
    const both = { settle: [first], publish: [newWork('more', { data: contentOf(3 * MB).bytes })] };
    await assert.rejects(user.commitAt(Date.now(), both), hasCode('store-failed', /The disk is full/));
    assert.equal(await store.events.count({ app: 'shop' }), kept + 1, 'all of a round or none of it');
    assert.equal((await user.states())['first'], 'leased');
    await rm(filler);
    assert.deepEqual((await user.commitAt(Date.now(), both)).settled, [true]);
    assert.equal((await user.lease({ limit: 1_000 })).length, kept + 1);
  } finally {
    await store.close();
    spawnSync('umount', [folder]);
    await rm(folder, { recursive: true, force: true });
  }
});

test('a store on a read-only file system is refused, and has its events when it may be written again', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'fulcrum-small-'));
  const mount = (options: string): boolean =>
    spawnSync('mount', ['-t', 'tmpfs', '-o', options, 'tmpfs', folder]).status === 0;
  const mounted = mount('size=24m');
  t.after(async () => {
    if (mounted) spawnSync('umount', ['-l', folder]);
    await rm(folder, { recursive: true, force: true });
  });
  if (!mounted) return t.skip('a file system cannot be mounted here: that takes root');
  const path = join(folder, 'store.db');
  const store = await openPlace(path);
  await new EventUser(store.events).publish(newWork('first'));
  await store.close();
  assert.ok(mount('remount,ro'));
  await assert.rejects(openPlace(path), hasCode('store-failed', /cannot be written/));
  assert.ok(mount('remount,rw'));
  const again = await openPlace(path);
  t.after(() => again.close());
  assert.deepEqual(await new EventUser(again.events).leaseIds(), ['first']);
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
