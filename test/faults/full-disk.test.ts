import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { appFolder } from '../e2e/support/app-folder.ts';
import { isolatedEnv } from '../e2e/support/fulcrum-process.ts';
import { ServerProcess } from '../e2e/support/server-process.ts';

const DISK_MB = 24;
/** Of a file that no compression makes smaller. */
const PIECE_BYTES = 4 * 1024 ** 2;

/** A data folder on a file system of its own that holds little. Null where only root may make one. */
function smallDisk(t: TestContext): string | null {
  const disk = mkdtempSync(join(tmpdir(), 'fulcrum-disk-'));
  const mounted = spawnSync('mount', ['-t', 'tmpfs', '-o', `size=${DISK_MB}m,mode=711`, 'tmpfs', disk]);
  t.after(() => {
    if (mounted.status === 0) spawnSync('umount', ['-l', disk]);
    rmSync(disk, { recursive: true, force: true });
  });
  if (mounted.status !== 0) return null;
  const data = join(disk, 'data');
  mkdirSync(data, { mode: 0o711 });
  return data;
}

test('a disk that is full while files are uploaded: the old release serves throughout, and once the files are gone the next deploy works', async (t) => {
  const data = smallDisk(t);
  if (data === null) return t.skip('a small file system cannot be mounted here: that takes root');
  const env = isolatedEnv();
  const server = await ServerProcess.start(t, { env, data });
  const app = await appFolder(t, {
    'fulcrum.config.ts': `
      import { defineApp } from 'fulcrum';
      export default defineApp({ name: 'site', components: { site: { static: './public', routes: ['/*'] } } });`,
    'public/index.html': 'the first',
  });
  const deploy = (): ReturnType<typeof server.run> => server.run('deploy', app.path, '--no-typecheck');
  const serves = async (): Promise<string> => await (await fetch(server.url)).text();
  const first = await deploy();
  assert.equal(first.code, 0, first.stdout + first.stderr);

  await app.write('public/index.html', 'the second');
  for (let piece = 0; piece * PIECE_BYTES < DISK_MB * 1024 ** 2; piece++)
    writeFileSync(join(app.path, `public/large-${piece}.bin`), randomBytes(PIECE_BYTES));
  for (let tries = 0; tries < 2; tries++) {
    const full = await deploy();
    assert.equal(full.code, 1, full.stdout + full.stderr);
    assert.match(full.stderr, /full|space|ENOSPC/i);
    assert.equal(await serves(), 'the first');
  }

  for (let piece = 0; piece * PIECE_BYTES < DISK_MB * 1024 ** 2; piece++)
    rmSync(join(app.path, `public/large-${piece}.bin`));
  const next = await deploy();
  assert.equal(next.code, 0, next.stdout + next.stderr);
  assert.equal(await serves(), 'the second');
});
