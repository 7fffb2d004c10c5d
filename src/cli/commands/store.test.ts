import assert from 'node:assert/strict';
import { mkdir, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { newApp } from '../../../test/conformance/store/support/things.ts';
import { systemClock } from '../../base/clock.ts';
import { silentLogger } from '../../base/log.ts';
import { openSqliteStore } from '../../store/sqlite-store.ts';
import type { Store } from '../../store/store.ts';
import { World } from '../fixtures/run-cli.ts';

describe('fulcrum store', () => {
  let world: World;
  let data: string;
  let store: Store;

  before(async () => {
    world = await World.make();
    data = join(world.folder, 'data');
    // As a server that runs meanwhile.
    store = await openSqliteStore({
      path: join(data, 'fulcrum.db'),
      clock: systemClock,
      logger: silentLogger,
    });
    await store.apps.create(newApp());
  });
  after(async () => {
    await store.close();
    await world.end();
  });

  test('backs up, restores and copies, and says what', async () => {
    const file = join(world.folder, 'b.db');
    const backup = await world.run(['store', 'backup', file, '--data', data]);
    assert.equal(backup.code, 0, backup.stderr);
    assert.match(backup.stdout, /data\/fulcrum\.db → .*b\.db, \d.* KB, checked\n\nTABLE +ROWS\n/);
    assert.match(backup.stdout, /^apps +1$/m);
    assert.match(
      backup.stdout,
      /\n\nNot in it: what apps have stored \(DATA\/apps\/\*\/storage\), and the key/,
    );
    assert.ok(
      backup.stdout
        .split('\n')
        .slice(1)
        .every((line) => line.length <= 80),
    );

    const restored = join(world.folder, 'restored');
    const restore = await world.run(['store', 'restore', file, '--data', restored, '--json']);
    assert.equal(restore.code, 0, restore.stderr);
    const report = JSON.parse(restore.stdout) as { store: string; rows: Record<string, number> };
    assert.equal(report.store, join(restored, 'fulcrum.db'));
    assert.equal(report.rows['apps'], 1);
    assert.equal((await stat(report.store)).mode & 0o777, 0o600);

    const copied = join(world.folder, 'copy.db');
    const copy = await world.run(['store', 'copy', '--from', restored, '--to', copied]);
    assert.equal(copy.code, 0, copy.stderr);
    assert.match(copy.stdout, /restored\/fulcrum\.db → .*copy\.db, compared/);

    // Its log would be taken for that of what is restored.
    const left = join(world.folder, 'left');
    await mkdir(left);
    await writeFile(join(left, 'fulcrum.db-wal'), 'x');
    const beside = await world.run(['store', 'restore', file, '--data', left]);
    assert.match(beside.stderr, /error conflict: There is a file .*fulcrum\.db-wal already/);

    const again = await world.run(['store', 'restore', file, '--data', restored]);
    assert.equal(again.code, 1);
    assert.match(again.stderr, /error conflict: There is a file .*fulcrum\.db already/);
  });

  test('what it cannot understand, it says', async () => {
    const cases: [string[], RegExp][] = [
      [['store', 'backup', 'x.db'], /Which store\? Give the server's data folder/],
      [['store', 'backup'], /Missing required argument 'FILE'\. `fulcrum store backup --help`/],
      [['store', 'copy', '--from', 'x'], /Which store\? Give --to PLACE, or .* as FULCRUM_TO_URL/],
      [['store', 'copy', '--to', 'x'], /Which store\? Give --from PLACE, or .* as FULCRUM_FROM_URL/],
      [['store', 'bakcup', 'x'], /Unknown command 'bakcup'\. Did you mean backup\?/],
    ];
    for (const [args, sentence] of cases) {
      const ran = await world.run(args);
      assert.equal(ran.code, 2, ran.stderr);
      assert.match(ran.stderr, sentence);
    }
  });

  test('a password may stay out of the arguments, and is warned of where it is in them', async () => {
    const url = 'postgres://anna:s3cret@127.0.0.1:1/x';
    const env = { FULCRUM_FROM_URL: data, FULCRUM_TO_URL: url };
    const quiet = await world.run(['store', 'copy'], { env });
    assert.match(
      quiet.stderr,
      /^error store-failed: The database postgres:\/\/anna@127\.0\.0\.1:1\/x cannot be reached/,
    );
    const backup = ['store', 'backup', join(world.folder, 'd.db')];
    for (const [args, variable] of [
      [['store', 'copy', '--from', data, '--to', url], 'FULCRUM_TO_URL'],
      [['store', 'copy', '--from', `${url}?x=1`, '--to', data], 'FULCRUM_FROM_URL'],
      [[...backup, '--data', 'postgresql://anna@127.0.0.1:1/x?password=s3cret'], 'DATABASE_URL'],
    ] as const) {
      const ran = await world.run([...args]);
      assert.match(
        ran.stderr,
        new RegExp(`warning: --\\w+ has a password, .* Use PGPASSWORD or ${variable}`),
      );
      assert.ok(!ran.stderr.includes('s3cret'));
    }
    const without = await world.run([...backup, '--data', 'postgres://anna@127.0.0.1:1/x']);
    assert.ok(!without.stderr.includes('warning'));
  });

  test('a password is not in what it says', async () => {
    const env = { DATABASE_URL: 'postgres://anna:s3cret@127.0.0.1:1/x' };
    const ran = await world.run(['store', 'backup', join(world.folder, 'c.db')], { env });
    assert.equal(ran.code, 1);
    assert.match(
      ran.stderr,
      /error store-failed: The database postgres:\/\/anna@127\.0\.0\.1:1\/x cannot be reached/,
    );
    assert.ok(!ran.stderr.includes('s3cret') && !ran.stdout.includes('s3cret'));
  });
});
