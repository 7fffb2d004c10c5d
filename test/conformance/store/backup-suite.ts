import assert from 'node:assert/strict';
import { chmod, mkdtemp, open, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { test, type TestContext } from 'node:test';
import { systemClock } from '../../../src/base/clock.ts';
import { backupStore, restoreStore } from '../../../src/store/backup.ts';
import { copyStore } from '../../../src/store/copy.ts';
import { tableNames } from '../../../src/store/tables.ts';
import { fillStore } from './support/filled-store.ts';
import { hasCode } from './support/has-code.ts';
import { makeOldSqliteStore } from './support/old-store.ts';
import { openPlace, type StoreUnderTest } from './support/store-under-test.ts';
import {
  contentOf,
  digestOf,
  fileOf,
  newApp,
  newRelease,
  putContent,
  readContent,
} from './support/things.ts';

const clock = systemClock;

/** What backups and copies of every store must be. @param others what it is copied to and back. */
export function backupSuite(subject: StoreUnderTest, others: readonly StoreUnderTest[]): void {
  const check = (name: string, body: (t: TestContext) => Promise<void>): void => {
    void test(`${subject.name}: ${name}`, { skip: subject.skip ?? false }, body);
  };

  check('backup: what is restored from one is what was there', async (t) => {
    const [from, to, folder] = [await newPlace(t, subject), await newPlace(t, subject), await newFolder(t)];
    const store = await opened(t, from);
    await fillStore(store);
    const file = join(folder, 'backups', 'b.db');
    const backup = await backupStore({ store: from, file, clock });
    assert.equal((await stat(file)).mode & 0o777, 0o600);
    assert.equal(backup.sizeBytes, (await stat(file)).size);
    assert.deepEqual(await readdir(join(folder, 'backups')), ['b.db']);
    for (const table of tableNames) {
      if (table !== 'blob_uploads') assert.ok(backup.rows[table]! > 0, `${table} is empty`);
    }
    const restored = await restoreStore({ store: to, file, clock });
    assert.deepEqual(restored.rows, backup.rows);
    assert.deepEqual(await contentOfStore(t, to), await contentOfStore(t, from));
    const again = await opened(t, to);
    assert.deepEqual(await again.apps.list(), await store.apps.list());
    assert.equal((await again.releases.add(newRelease())).number, 7);
    await again.audit.append({ atMs: 1, actor: 'a', action: 'b', app: null, outcome: 'ok', details: {} });
    assert.equal((await again.audit.list({ app: null, before: null, limit: 1 }))[0]!.number, 521);
  });

  check('backup: it is of one moment, while others write', async (t) => {
    const from = await newPlace(t, subject);
    const store = await opened(t, from);
    await store.apps.create(newApp());
    const folder = await newFolder(t);
    let going = true;
    const writing = (async () => {
      while (going) {
        const content = contentOf(20_000);
        await putContent(store.blobs, content);
        await store.releases.add(newRelease([fileOf(content)]));
      }
    })();
    for (let round = 0; round < 4; round++) {
      const before = (await store.releases.list('shop', null, 1))[0]?.number ?? 0;
      const file = join(folder, `${round}.db`);
      await backupStore({ store: from, file, clock });
      const copy = await openPlace(file);
      const releases = await copy.releases.list('shop', null, 100_000);
      assert.ok(releases.length >= before);
      assert.deepEqual(
        releases.map((release) => release.number),
        Array.from({ length: releases.length }, (_, i) => releases.length - i),
      );
      for (const release of releases.slice(0, 20)) {
        const [file] = release.manifest.files;
        assert.ok(file?.kind === 'file');
        assert.equal(digestOf((await readContent(copy.blobs, file.digest))!), file.digest);
      }
      await copy.close();
    }
    going = false;
    await writing;
  });

  check('backup: a file that is there is not overwritten, and no other is left behind', async (t) => {
    const from = await newPlace(t, subject);
    await (await openPlace(from)).close();
    const folder = await newFolder(t);
    const file = join(folder, 'taken');
    await writeFile(file, 'mine');
    await assert.rejects(
      backupStore({ store: from, file, clock }),
      hasCode('conflict', /There is a file .*taken/),
    );
    assert.deepEqual(await readdir(folder), ['taken']);
    assert.equal((await stat(file)).size, 4);
  });

  check('backup: a damaged one, a foreign one and one of a newer Fulcrum are not restored', async (t) => {
    const [from, to, folder] = [await newPlace(t, subject), await newPlace(t, subject), await newFolder(t)];
    const store = await opened(t, from);
    await fillStore(store);
    const file = join(folder, 'b.db');
    await backupStore({ store: from, file, clock });

    const foreign = join(folder, 'foreign.db');
    new DatabaseSync(foreign).exec('CREATE TABLE theirs (x)');
    await writeFile(join(folder, 'noise.db'), Buffer.alloc(10_000, 'noise '));
    const newer = join(folder, 'newer.db');
    await restoreStore({ store: newer, file, clock });
    const database = new DatabaseSync(newer);
    database.exec("INSERT INTO schema_migrations VALUES (9999, 'from-the-future', 0)");
    database.close();
    const damaged = join(folder, 'damaged.db');
    await restoreStore({ store: damaged, file, clock });
    const bytes = await open(damaged, 'r+');
    for (let at = 8_192; at < 400_000; at += 4_096) await bytes.write(Buffer.alloc(64, 0xff), 0, 64, at);
    await bytes.close();

    const stray = join(folder, 'stray.db');
    await restoreStore({ store: stray, file, clock });
    const strayed = new DatabaseSync(stray);
    strayed.exec("PRAGMA foreign_keys = OFF; INSERT INTO release_blobs VALUES ('shop', 1, 'x')");
    strayed.close();

    const cases: [string, RegExp][] = [
      [stray, /is damaged: a row of release_blobs refers to one that is not there/],
      [join(folder, 'none.db'), /There is no store/],
      [foreign, /is no store of Fulcrum/],
      [join(folder, 'noise.db'), /damaged or no SQLite database/],
      [newer, /has schema version 9999/],
      [damaged, /damaged/],
    ];
    for (const [bad, sentence] of cases) {
      await assert.rejects(
        restoreStore({ store: to, file: bad, clock }),
        hasCode('store-failed', sentence),
        bad,
      );
    }
    await restoreStore({ store: to, file, clock });
  });

  check('restore: a store that is not empty is refused and not touched', async (t) => {
    const [from, to, folder] = [await newPlace(t, subject), await newPlace(t, subject), await newFolder(t)];
    await (await openPlace(from)).close();
    const file = join(folder, 'b.db');
    await backupStore({ store: from, file, clock });
    const other = await opened(t, to);
    await other.apps.create(newApp());
    await assert.rejects(
      restoreStore({ store: to, file, clock }),
      hasCode('conflict', /not empty|There is a file/),
    );
    assert.equal((await other.apps.list()).length, 1);
  });

  check('restore: a backup of an older schema is brought up to date, and stays as it was', async (t) => {
    const [to, folder] = [await newPlace(t, subject), await newFolder(t)];
    makeOldSqliteStore(join(folder, 'old.db'));
    const file = join(folder, 'b.db');
    const backup = await backupStore({ store: join(folder, 'old.db'), file, clock });
    assert.equal(backup.schemaVersion, 1);
    const before = await readFile(file);
    await restoreStore({ store: to, file, clock });
    assert.deepEqual(await readFile(file), before);
    const store = await opened(t, to);
    await store.adoptUsage('shop');
    const query = { app: 'shop', component: null, fromMs: 0, toMs: 1e9, limit: 10, after: null };
    assert.equal((await store.usage.minutes(query)).items.length, 1);
    assert.equal((await store.usage.rows(query)).items.length, 1);
    await assert.rejects(
      copyStore({ from: file, to: join(folder, 'c.db'), clock }),
      hasCode('store-failed', /older schema version 1: start a server/),
    );
  });

  for (const other of others) {
    void test(
      `${subject.name}: a copy to ${other.name} and back is the same`,
      { skip: subject.skip ?? other.skip ?? false },
      async (t) => {
        const [from, to, back] = [
          await newPlace(t, subject),
          await newPlace(t, other),
          await newPlace(t, subject),
        ];
        const store = await opened(t, from);
        await fillStore(store);
        const there = await copyStore({ from, to, clock });
        assert.equal(there.tables.length, tableNames.length);
        assert.ok(there.tables.find(({ table }) => table === 'usage_rows')!.rows === 4_200);
        const here = await copyStore({ from: to, to: back, clock });
        assert.deepEqual(here.tables, there.tables);
        const [one, two] = [await opened(t, to), await opened(t, back)];
        for (const copy of [one, two]) {
          assert.deepEqual(await copy.secrets.all(), await store.secrets.all());
          assert.deepEqual(
            await copy.releases.list('shop', null, 100),
            await store.releases.list('shop', null, 100),
          );
        }
        await assert.rejects(
          copyStore({ from, to, clock }),
          hasCode('conflict', /not empty|There is a file/),
        );
      },
    );
  }

  check('copy: a table that does not come out the same is told, and nothing is kept', async (t) => {
    // A store with something that it cannot have by its own means.
    const folder = await newFolder(t);
    const path = join(folder, 'from.db');
    await (await openPlace(path)).close();
    const database = new DatabaseSync(path);
    database.exec("PRAGMA foreign_keys = OFF; INSERT INTO release_blobs VALUES ('shop', 1, 'x')");
    database.close();
    const to = await newPlace(t, subject);
    await assert.rejects(copyStore({ from: path, to, clock }), hasCode('store-failed'));
    const store = await opened(t, to);
    assert.deepEqual(await store.apps.list(), []);
    await store.apps.create(newApp());
  });
}

async function contentOfStore(t: TestContext, place: string): Promise<unknown> {
  const copy = join(await newFolder(t), 'copy.db');
  const { tables } = await copyStore({ from: place, to: copy, clock });
  // Files are marked as asked for whenever somebody asks.
  return tables;
}

async function newFolder(t: TestContext): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'fulcrum-store-'));
  await chmod(folder, 0o700);
  t.after(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

async function newPlace(t: TestContext, subject: StoreUnderTest): Promise<string> {
  const { place, clear } = await subject.newPlace();
  t.after(clear);
  return place;
}

async function opened(t: TestContext, place: string): ReturnType<typeof openPlace> {
  const store = await openPlace(place);
  t.after(() => store.close());
  return store;
}
