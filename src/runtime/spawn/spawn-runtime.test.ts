import { NO_PUBLISHER } from '../../model/event.ts';
import assert from 'node:assert/strict';
import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { FakeClock } from '../../base/fake-clock.ts';
import { silentLogger } from '../../base/log.ts';
import { NO_CALLER, NO_CALL_SINK } from '../../model/calls.ts';
import type { ModuleSpec } from '../../model/app.ts';
import { createSpawnRuntime } from './spawn-runtime.ts';

test('a process that never connects is given up after 5 s as for want of room, and killed', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'fulcrum-spawn-'));
  const nodePath = join(folder, 'node');
  await writeFile(nodePath, '#!/bin/sh\necho "begun $$"\nexec sleep 1000\n');
  await chmod(nodePath, 0o700);
  const clock = new FakeClock();
  const begun = Promise.withResolvers<string>();
  const runtime = await createSpawnRuntime({
    socketPath: join(folder, 's'),
    clock,
    logger: silentLogger,
    baseEnv: { PATH: process.env['PATH'] ?? '' },
    nodePath,
  });
  t.after(async () => {
    await runtime.close();
    await rm(folder, { recursive: true });
  });
  const starting = runtime.start({
    instanceId: 'i_1',
    revision: {
      kind: 'module',
      id: '0123456789ab',
      env: {},
      envDigest: '',
      spec: { kind: 'module', name: 'shop' } as ModuleSpec,
      bundle: { path: join(folder, 'x.mjs'), filesRoot: folder, digest: '', sizeBytes: 0, sources: [] },
    },
    home: {
      caller: NO_CALLER,
      calls: NO_CALL_SINK,
      components: () => [],
      publisher: NO_PUBLISHER,
      log: { write: ({ text }) => begun.resolve(text) },
      env: {},
    },
    mode: 'function',
    concurrency: 1,
    memoryBytes: 128 * 1024 * 1024,
    inspectPort: null,
    signal: new AbortController().signal,
  });
  const failed = assert.rejects(starting, (error: { code: string }) => {
    assert.equal(error.code, 'resources-exhausted');
    return true;
  });
  const pid = Number((await begun.promise).split(' ')[1]);
  await clock.advance(5_000);
  await failed;
  assert.throws(() => process.kill(pid, 0), { code: 'ESRCH' });
});
