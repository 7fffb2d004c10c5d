import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { probeMachine } from './probe.ts';
import { routeOf } from './plan.ts';
import { tryNamespaces } from './trial.ts';

const machine = await probeMachine();
const skip = machine.ffi && machine.capabilities.administrate ? false : 'needs the right to make namespaces';

test('an attempt that fails takes the right away, with what the kernel said', { skip }, async () => {
  const tried = await tryNamespaces(machine, '/does/not/exist');
  assert.equal(tried.capabilities.administrate, false);
  assert.match(tried.namespacesFailed!, /^an attempt to make namespaces failed \(.*\/does\/not\/exist/);
  assert.equal(routeOf(tried, 'function').route, 'plain');
});

for (const [what, more, expected] of [
  ['enters all the same, though it may make no devices', ['--pid', '--fork', '--mount-proc'], /^none$/],
  // As where a container's /proc has masks: the namespaces can be made, and the entry fails later.
  [
    'has no namespaces where it may not mount /proc',
    [],
    /attempt to make namespaces failed .*\/proc\): EPERM/,
  ],
] as const) {
  test(`root of a user namespace ${what}`, { skip }, (t) => {
    const folder = mkdtempSync(join(tmpdir(), 'fulcrum-trial-'));
    t.after(() => rmSync(folder, { recursive: true }));
    const script = `
      import { probeMachine } from ${JSON.stringify(new URL('probe.ts', import.meta.url).href)};
      import { tryNamespaces } from ${JSON.stringify(new URL('trial.ts', import.meta.url).href)};
      const machine = await probeMachine();
      const { namespacesFailed } = await tryNamespaces(machine, ${JSON.stringify(folder)});
      console.log(machine.capabilities.administrate, namespacesFailed ?? 'none');`;
    const node = [process.execPath, '--disable-warning=ExperimentalWarning', '--input-type=module'];
    const { status, stdout, stderr } = spawnSync(
      'unshare',
      ['--user', '--map-root-user', ...more, ...node, '-e', script],
      { encoding: 'utf8' },
    );
    if (status !== 0 && stdout === '') return t.skip(`no user namespaces here: ${stderr}`);
    const [mayAdministrate, ...failed] = stdout.trim().split(' ');
    assert.equal(mayAdministrate, 'true');
    assert.match(failed.join(' '), expected);
  });
}

test('where there is nothing to try, nothing is tried', async () => {
  const without = { ...machine, ffi: false };
  assert.equal(await tryNamespaces(without, '/does/not/exist'), without);
});
