import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { cgroupSite, type CgroupFolders } from './cgroup-site.ts';
import { capabilitiesOf, uidRangesOf, userNamespaceRefusal } from './machine.ts';
import { assignUids, COMPONENT_UIDS, COMPONENT_UIDS_IN_CONTAINER, componentUids } from './uid.ts';

test('capabilities are read from the effective set', () => {
  const status = (effective: string): string => `CapPrm:\tffffffffffffffff\nCapEff:\t${effective}\n`;
  assert.deepEqual(capabilitiesOf(status('000001ffffffffff')), { administrate: true, changeUser: true });
  // What a container's root has as a rule.
  assert.deepEqual(capabilitiesOf(status('00000000a80425fb')), { administrate: false, changeUser: true });
  assert.deepEqual(capabilitiesOf(status('0000000000000000')), { administrate: false, changeUser: false });
  assert.deepEqual(capabilitiesOf(''), { administrate: false, changeUser: false });
});

describe('user namespaces', () => {
  const allowed = {
    maxUserNamespaces: '96365\n',
    unprivilegedUsernsClone: null,
    apparmorRestrictsUserns: null,
  };
  const cases = [
    [{}, null],
    [{ unprivilegedUsernsClone: '1\n', apparmorRestrictsUserns: '0\n' }, null],
    [{ maxUserNamespaces: null }, /no user namespaces/],
    [{ maxUserNamespaces: '0\n' }, /max_user_namespaces is 0/],
    [{ unprivilegedUsernsClone: '0\n' }, /unprivileged_userns_clone is 0/],
    [{ apparmorRestrictsUserns: '1\n' }, /AppArmor/],
  ] as const;
  for (const [part, expected] of cases) {
    test(JSON.stringify(part), () => {
      const refusal = userNamespaceRefusal({ ...allowed, ...part });
      if (expected === null) assert.equal(refusal, null);
      else assert.match(refusal!, expected);
    });
  }
});

describe('user ids', () => {
  test('come from a range that exists here', () => {
    assert.equal(componentUids(uidRangesOf('         0          0 4294967295\n')), COMPONENT_UIDS);
    assert.equal(componentUids(uidRangesOf('0 100000 65536\n')), COMPONENT_UIDS_IN_CONTAINER);
    assert.equal(componentUids(uidRangesOf('0 1000 1\n')), null);
    assert.equal(componentUids([]), null);
  });

  test('are the same whatever other components there are, and no two the same', () => {
    const names = Array.from({ length: 200 }, (_, index) => `c${index}`);
    const all = assignUids('shop', names, COMPONENT_UIDS);
    assert.equal(new Set(all.values()).size, names.length);
    for (const name of ['c0', 'c17', 'c199']) {
      assert.equal(assignUids('shop', [name], COMPONENT_UIDS).get(name), all.get(name));
    }
    assert.notEqual(assignUids('other', ['c0'], COMPONENT_UIDS).get('c0'), all.get('c0'));
    const { first, count } = COMPONENT_UIDS;
    assert.ok([...all.values()].every((uid) => uid >= first && uid < first + count));
  });

  test('where two meet, the later one moves on', () => {
    const ids = assignUids('shop', ['a', 'b', 'c'], { first: 10, count: 3 });
    assert.deepEqual(
      [...ids.values()].sort((a, b) => a - b),
      [10, 11, 12],
    );
    assert.deepEqual(assignUids('shop', ['c', 'b', 'a'], { first: 10, count: 3 }), ids);
  });
});

describe('control groups', () => {
  const folders = (part: Partial<CgroupFolders> = {}): CgroupFolders => ({
    writable: () => true,
    controllers: () => ['cpu', 'memory', 'pids'],
    ...part,
  });
  const V1 = `28 25 0:30 / /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory
29 25 0:31 / /sys/fs/cgroup/pids rw - cgroup cgroup rw,pids
30 25 0:32 / /sys/fs/cgroup/cpu,cpuacct rw - cgroup cgroup rw,cpu,cpuacct
31 25 0:33 / /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw`;
  const V2 = '31 25 0:33 / /sys/fs/cgroup rw - cgroup2 cgroup2 rw,nsdelegate';

  test('version 1: below its own group in each hierarchy', () => {
    const site = cgroupSite('8:pids:/\n4:memory:/user/app\n3:cpu,cpuacct:/\n0::/\n', V1, folders());
    assert.deepEqual(site.folders, {
      memory: { version: 1, path: '/sys/fs/cgroup/memory/user/app' },
      pids: { version: 1, path: '/sys/fs/cgroup/pids' },
      cpu: { version: 1, path: '/sys/fs/cgroup/cpu,cpuacct' },
    });
    assert.deepEqual(site.missing, {});
  });

  test('version 2: one folder for all', () => {
    const successor = cgroupSite('0::/system.slice/fulcrum.service/fulcrum-server\n', V2, folders());
    assert.deepEqual(successor, cgroupSite('0::/system.slice/fulcrum.service\n', V2, folders()));
    const site = cgroupSite('0::/system.slice/fulcrum.service\n', V2, folders());
    const own = { version: 2, path: '/sys/fs/cgroup/system.slice/fulcrum.service' };
    assert.deepEqual(site.folders, { memory: own, pids: own, cpu: own });
  });

  test('what is not writable, or has no such controller, is told', () => {
    const closed = cgroupSite('0::/user.slice\n', V2, folders({ writable: () => false }));
    assert.deepEqual(closed.folders, {});
    assert.match(closed.missing.memory!, /user\.slice is not writable; a systemd unit with Delegate=yes/);
    const few = cgroupSite('0::/user.slice\n', V2, folders({ controllers: () => ['pids'] }));
    assert.deepEqual(Object.keys(few.folders), ['pids']);
    assert.match(few.missing.memory!, /has no memory controller/);
    const none = cgroupSite('', '', folders());
    assert.deepEqual(Object.keys(none.missing), ['memory', 'pids', 'cpu']);
  });

  test('a container sees a part of the tree', () => {
    const inside = '31 25 0:33 /docker/abc /sys/fs/cgroup rw - cgroup2 cgroup2 rw';
    const below = cgroupSite('0::/docker/abc/app\n', inside, folders());
    assert.equal(below.folders.memory!.path, '/sys/fs/cgroup/app');
    const itself = cgroupSite('0::/\n', inside, folders());
    assert.equal(itself.folders.memory!.path, '/sys/fs/cgroup');
    const elsewhere = cgroupSite('0::/other\n', inside, folders());
    assert.deepEqual(elsewhere.folders, {});
  });
});
