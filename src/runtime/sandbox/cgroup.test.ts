import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { randomText } from '../../base/ids.ts';
import {
  createCgroups,
  foldersOf,
  processesIn,
  removeAbandonedCgroups,
  removeCgroups,
  settingsOf,
} from './cgroup.ts';
import type { CgroupPlan } from './plan.ts';
import { readCgroupSite } from './probe.ts';

const MB = 1024 * 1024;
const plan = (part: Partial<CgroupPlan> = {}): CgroupPlan => ({
  name: `fulcrum-test-${randomText(8)}`,
  folders: {},
  memoryBytes: 64 * MB,
  processes: 20,
  cpuWeight: 50,
  ...part,
});

test('each version has its own files and units', () => {
  const values = (version: 1 | 2): Record<string, string> =>
    Object.fromEntries(
      (['memory', 'pids', 'cpu'] as const)
        .flatMap((controller) => settingsOf(plan(), controller, version))
        .map(({ file, value }) => [file, value]),
    );
  assert.deepEqual(values(2), {
    'memory.max': '67108864',
    'memory.swap.max': '0',
    'pids.max': '20',
    'cpu.weight': '50',
  });
  // Lifted first, since a bound may not pass the other while it is raised.
  const lifted = settingsOf(plan(), 'memory', 1)[0];
  assert.deepEqual(lifted, { file: 'memory.memsw.limit_in_bytes', value: '-1', optional: true });
  assert.deepEqual(values(1), {
    'memory.limit_in_bytes': '67108864',
    'memory.memsw.limit_in_bytes': '67108864',
    'pids.max': '20',
    'cpu.shares': '512',
  });
  assert.deepEqual(settingsOf(plan({ memoryBytes: null }), 'memory', 2), []);
  assert.equal(settingsOf(plan({ cpuWeight: 100 }), 'cpu', 1)[0]!.value, '1024');
});

test('one folder where all controllers share one', () => {
  const folder = { version: 2, path: '/sys/fs/cgroup/own' } as const;
  const own = plan({ name: 'c', folders: { memory: folder, pids: folder, cpu: folder } });
  assert.deepEqual(foldersOf(own), ['/sys/fs/cgroup/own/c']);
});

test('a process that cannot be seen is nobody to be killed: 0 would be the server’s own group', () => {
  assert.deepEqual(processesIn('0\n17\n0\n4194303\n'), [17, 4_194_303]);
  assert.deepEqual(processesIn(''), []);
});

test('where a group can be killed as a whole, it is', async (t) => {
  // Stands in for version 2, which this machine may not have: the file that takes the order.
  const parent = mkdtempSync(join(tmpdir(), 'fulcrum-cgroup-'));
  t.after(() => rmSync(parent, { recursive: true }));
  const own = plan({ name: 'c', folders: { pids: { version: 2, path: parent } } });
  mkdirSync(join(parent, 'c'));
  writeFileSync(join(parent, 'c', 'cgroup.kill'), '');
  const removing = removeCgroups(own);
  assert.equal(readFileSync(join(parent, 'c', 'cgroup.kill'), 'utf8'), '1');
  rmSync(join(parent, 'c'), { recursive: true });
  assert.deepEqual(await removing, []);
});

const site = readCgroupSite();
const skip = site.folders.pids === undefined ? `no control groups: ${site.missing.pids}` : false;

test('a group is made with its bounds, and goes with what is in it', { skip }, async (t) => {
  const own = plan({ folders: site.folders });
  t.after(() => removeCgroups(own));
  assert.deepEqual(createCgroups(own), {});
  const folders = foldersOf(own);
  const pids = `${site.folders.pids!.path}/${own.name}`;
  assert.equal(readFileSync(`${pids}/pids.max`, 'utf8').trim(), '20');
  // Made again, by a server that follows one that was killed, it has the new bounds.
  assert.deepEqual(createCgroups({ ...own, processes: 30 }), {});
  assert.equal(readFileSync(`${pids}/pids.max`, 'utf8').trim(), '30');

  const child = spawn('cat', { stdio: ['pipe', 'ignore', 'ignore'] });
  const ended = once(child, 'exit');
  for (const folder of folders) writeFileSync(`${folder}/cgroup.procs`, String(child.pid));
  assert.deepEqual(await removeCgroups(own), []);
  assert.deepEqual(await ended, [null, 'SIGKILL']);
  for (const folder of folders) assert.equal(existsSync(folder), false);
  assert.deepEqual(await removeCgroups(own), []);
});

test('what a killed server left behind is removed by the next', { skip }, async (t) => {
  const left = plan({ folders: site.folders });
  const kept = plan({ folders: site.folders });
  t.after(() => Promise.all([removeCgroups(left), removeCgroups(kept)]));
  createCgroups(left);
  createCgroups(kept);
  assert.deepEqual(await removeAbandonedCgroups(site, (name) => name === left.name), []);
  assert.deepEqual(
    foldersOf(left).map((folder) => existsSync(folder)),
    foldersOf(left).map(() => false),
  );
  assert.ok(foldersOf(kept).every((folder) => existsSync(folder)));
});

test('what cannot be made is told by controller', () => {
  const nowhere = { version: 1, path: '/proc/nowhere' } as const;
  const failed = createCgroups(plan({ folders: { pids: nowhere } }));
  assert.deepEqual(Object.keys(failed), ['pids']);
});
