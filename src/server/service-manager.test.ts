import assert from 'node:assert/strict';
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { inheritedSockets, tellServiceManager } from './service-manager.ts';

test('the sockets are those from descriptor 3 on, by name where there are names', () => {
  const env = { LISTEN_PID: '7', LISTEN_FDS: '2', LISTEN_FDNAMES: 'http:https' };
  assert.deepEqual(inheritedSockets(env, 7), [
    { fd: 3, name: 'http' },
    { fd: 4, name: 'https' },
  ]);
  assert.deepEqual(inheritedSockets({ LISTEN_PID: '7', LISTEN_FDS: '1' }, 7), [{ fd: 3, name: '' }]);
});

test('what is meant for another process, or makes no sense, is nothing', () => {
  for (const env of [
    {},
    { LISTEN_PID: '8', LISTEN_FDS: '1' },
    { LISTEN_PID: '7', LISTEN_FDS: 'x' },
    { LISTEN_PID: '7' },
  ])
    assert.deepEqual(inheritedSockets(env, 7), []);
});

test('the service manager is told by systemd-notify, where there is one; else nothing happens', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'fulcrum-notify-'));
  t.after(() => rmSync(folder, { recursive: true }));
  const program = join(folder, 'systemd-notify');
  writeFileSync(program, `#!/bin/sh\nprintf '%s|' "$NOTIFY_SOCKET" "$@" > ${folder}/told\n`);
  chmodSync(program, 0o755);
  const env = { PATH: `${folder}:/usr/bin:/bin`, NOTIFY_SOCKET: '/run/x' };
  await tellServiceManager(env, 'READY=1', 'MAINPID=7');
  assert.equal(readFileSync(join(folder, 'told'), 'utf8'), '/run/x|READY=1|MAINPID=7|');
  rmSync(join(folder, 'told'));
  await tellServiceManager({ PATH: env.PATH }, 'READY=1');
  await tellServiceManager({ ...env, PATH: '/nowhere' }, 'READY=1');
  assert.throws(() => readFileSync(join(folder, 'told')), { code: 'ENOENT' });
});
