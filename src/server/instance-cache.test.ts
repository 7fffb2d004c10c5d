import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, readlinkSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { silentLogger } from '../base/log.ts';
import { InstanceCache } from './instance-cache.ts';

test('what is kept compiled for instances can be read by the users of components, and written by none', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'fulcrum-cache-'));
  t.after(() => rmSync(folder, { recursive: true }));
  const cache = await InstanceCache.open(folder, process.execPath, silentLogger);
  await cache.share(1_900_000_007);
  await cache.close();
  const link = readdirSync(folder).find((name) => name.endsWith('-1900000007'))!;
  const own = join(folder, readlinkSync(join(folder, link)));
  const modes = readdirSync(own).map((name) => statSync(join(own, name)).mode & 0o777);
  // Each of our modules, of which there are dozens.
  assert.ok(modes.length > 50, `${modes.length} files`);
  assert.deepEqual([...new Set(modes)], [0o644]);
  assert.equal(statSync(own).mode & 0o022, 0);
});
