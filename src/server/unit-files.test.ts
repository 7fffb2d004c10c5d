import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { test } from 'node:test';
import { unitFiles, type UnitOptions } from './unit-files.ts';

const OPTIONS: UnitOptions = {
  program: [process.execPath, '--conditions=x', '/opt/my fulcrum/bin/fulcrum.mjs'],
  dataDirectory: '/var/lib/fulcrum',
  args: ['--port', '80', '--hsts', '100%'],
  user: null,
  listen: [],
};

const HAS_SYSTEMD = spawnSync('systemd-analyze', ['--version']).status === 0;

test('the unit runs the very command, with what systemd would read otherwise escaped', () => {
  const [{ path, text }] = unitFiles(OPTIONS) as [{ path: string; text: string }];
  assert.equal(path, '/etc/systemd/system/fulcrum.service');
  assert.match(
    text,
    /^ExecStart=\/\S+ --conditions=x "\/opt\/my fulcrum\/bin\/fulcrum\.mjs" serve --data \/var\/lib\/fulcrum --port 80 --hsts 100%%$/m,
  );
});

test('what sandboxes are made of is left to it', () => {
  const { text } = unitFiles(OPTIONS)[0]!;
  assert.match(text, /^Delegate=yes$/m);
  for (const setting of [
    'RestrictNamespaces',
    'PrivateUsers',
    'ProtectControlGroups',
    'SystemCallFilter',
    'NoNewPrivileges',
    'MemoryDenyWriteExecute',
    'PrivateMounts',
  ])
    assert.doesNotMatch(text, new RegExp(`^${setting}=`, 'm'), setting);
});

test('a user without rights gets none', () => {
  const { text } = unitFiles({ ...OPTIONS, user: 'fulcrum' })[0]!;
  assert.match(text, /^User=fulcrum$/m);
  assert.match(text, /^NoNewPrivileges=yes$/m);
  assert.match(text, /^CapabilityBoundingSet=CAP_NET_BIND_SERVICE$/m);
  assert.throws(() => unitFiles({ ...OPTIONS, user: 'a\nb' }), { code: 'bad-request' });
});

test('with sockets of systemd’s the service has them under their names', () => {
  const listen = [
    { name: 'redirect', port: 80, host: '0.0.0.0' },
    { name: 'https', port: 443, host: '::1' },
  ] as const;
  const [service, redirect, https] = unitFiles({ ...OPTIONS, listen });
  assert.match(service!.text, /^Requires=fulcrum-redirect\.socket fulcrum-https\.socket$/m);
  assert.match(redirect!.text, /^ListenStream=80$[^]*^FileDescriptorName=redirect$/m);
  assert.match(https!.text, /^ListenStream=\[::1\]:443$/m);
});

test('systemd finds nothing wrong with them', { skip: HAS_SYSTEMD ? false : 'no systemd here' }, (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'fulcrum-unit-'));
  t.after(() => rmSync(folder, { recursive: true }));
  for (const user of [null, 'daemon']) {
    const listen = [{ name: 'http', port: 8080, host: '127.0.0.1' }] as const;
    const program = [process.execPath];
    const paths = unitFiles({ ...OPTIONS, program, user, listen }).map(({ path, text }) => {
      const own = join(folder, basename(path));
      writeFileSync(own, text);
      return own;
    });
    const { status, stderr } = spawnSync('systemd-analyze', ['verify', ...paths], { encoding: 'utf8' });
    const ours = stderr.split('\n').filter((line) => line.includes('fulcrum'));
    assert.deepEqual(ours, []);
    assert.equal(status, 0, stderr);
  }
});
