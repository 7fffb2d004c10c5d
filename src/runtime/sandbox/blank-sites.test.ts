import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { describe, test } from 'node:test';
import { randomText } from '../../base/ids.ts';
import { BlankSites } from './blank-sites.ts';
import { foldersOf, removeCgroups } from './cgroup.ts';
import type { SandboxPlan } from './plan.ts';
import { probeMachine } from './probe.ts';

const MB = 1024 * 1024;
const machine = await probeMachine();
const noFfi = machine.ffi ? false : 'Node cannot call foreign functions here';
const noGroups = machine.cgroups.folders.memory === undefined ? 'no control group can be made here' : noFfi;

const sandboxOf = (bounds: { memoryBytes: number; processes: number }): SandboxPlan =>
  ({
    component: 'shop',
    cgroup: { name: 'its-own', folders: machine.cgroups.folders, cpuWeight: 100, ...bounds },
  }) as never;

describe('blank sites', () => {
  test('say nothing of a network: whether that is left depends on whose they become', { skip: noFfi }, () => {
    const sites = new BlankSites({ ...machine, cgroups: { folders: {}, missing: {} } }, '/mnt', 'x');
    const plan = sites.take();
    assert.equal(plan.namespaces.includes('net'), false);
    assert.equal(plan.cgroup, null);
    assert.equal('tree' in plan, false);
  });

  test(
    'each has groups of its own, which are used again behind a process that has gone',
    { skip: noGroups },
    async () => {
      const sites = new BlankSites(machine, '/mnt', `fulcrum-test-${randomText(8)}`);
      try {
        const [one, other] = [sites.take(), sites.take()];
        assert.notEqual(one.cgroup!.name, other.cgroup!.name);
        assert.deepEqual(
          foldersOf(one.cgroup!).filter((folder) => !existsSync(folder)),
          [],
        );
        sites.giveBack(one);
        assert.equal(sites.take().cgroup!.name, one.cgroup!.name);
        assert.equal(sites.cgroups.length, 2);
      } finally {
        for (const group of sites.cgroups) assert.deepEqual(await removeCgroups(group), []);
      }
    },
  );

  test('are bounded for whoever comes, up and down again', { skip: noGroups }, async () => {
    const sites = new BlankSites(machine, '/mnt', `fulcrum-test-${randomText(8)}`);
    const plan = sites.take();
    try {
      const { version, path } = plan.cgroup!.folders.memory!;
      const file = version === 2 ? 'memory.max' : 'memory.limit_in_bytes';
      for (const megabytes of [512, 64, 1_024, 64]) {
        sites.bound(plan, sandboxOf({ memoryBytes: megabytes * MB, processes: 20 }));
        const said = readFileSync(`${path}/${plan.cgroup!.name}/${file}`, 'utf8').trim();
        assert.equal(said, String(megabytes * MB));
      }
    } finally {
      for (const group of sites.cgroups) assert.deepEqual(await removeCgroups(group), []);
    }
  });

  test('are used again only when nothing is left in them, and as nobody’s', { skip: noGroups }, async () => {
    const sites = new BlankSites(machine, '/mnt', `fulcrum-test-${randomText(8)}`);
    const plan = sites.take();
    const left = spawn('sleep', ['60']);
    try {
      sites.bound(plan, sandboxOf({ memoryBytes: 512 * MB, processes: 20 }));
      for (const folder of foldersOf(plan.cgroup!)) writeFileSync(`${folder}/cgroup.procs`, String(left.pid));
      const ended = once(left, 'exit');
      sites.giveBack(plan);
      const [, signal] = (await ended) as [number | null, string | null];
      assert.equal(signal, 'SIGKILL');
      const again = sites.take().cgroup!;
      assert.equal(again.name, plan.cgroup!.name);
      const { path } = again.folders.pids!;
      assert.equal(readFileSync(`${path}/${again.name}/pids.max`, 'utf8').trim(), '64');
    } finally {
      left.kill('SIGKILL');
      for (const group of sites.cgroups) assert.deepEqual(await removeCgroups(group), []);
    }
  });

  test('a bound that there is no group for is refused, and not left out', { skip: noGroups }, async () => {
    const sites = new BlankSites(machine, '/mnt', `fulcrum-test-${randomText(8)}`);
    try {
      const plan = sites.take();
      const { pids: _, ...folders } = plan.cgroup!.folders;
      const without = { ...plan, cgroup: { ...plan.cgroup!, folders } };
      assert.throws(
        () => sites.bound(without, sandboxOf({ memoryBytes: 64 * MB, processes: 20 })),
        /the pids control group .* could not be made/,
      );
    } finally {
      for (const group of sites.cgroups) assert.deepEqual(await removeCgroups(group), []);
    }
  });

  test('one that could not be bounded is given to nobody else', { skip: noGroups }, async () => {
    const sites = new BlankSites(machine, '/mnt', `fulcrum-test-${randomText(8)}`);
    try {
      const plan = sites.take();
      assert.equal(sites.spoil(plan), false, 'nobody had been in it');
      sites.giveBack(plan);
      const next = sites.take();
      assert.notEqual(next.cgroup!.name, plan.cgroup!.name);
      sites.giveBack(next);
      assert.equal(sites.spoil(sites.take()), true, 'somebody had');
    } finally {
      for (const group of sites.cgroups) assert.deepEqual(await removeCgroups(group), []);
    }
  });
});
