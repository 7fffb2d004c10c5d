import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { essentialMissing, isolationRefusal, LAYERS, type Layer, type LayerName } from './layers.ts';
import type { Machine } from './machine.ts';
import { reportSandbox } from './report.ts';
import { outermost, planSandbox, withoutControllers, type SandboxPlan, type SandboxRequest } from './plan.ts';

const CONTROLLERS = {
  memory: { version: 1, path: '/sys/fs/cgroup/memory/server' },
  pids: { version: 1, path: '/sys/fs/cgroup/pids' },
  cpu: { version: 1, path: '/sys/fs/cgroup/cpu' },
} as const;

const ROOT: Machine = {
  platform: 'linux',
  arch: 'x64',
  kernel: '6.18.0',
  ffi: true,
  uid: 0,
  gid: 0,
  capabilities: { administrate: true, changeUser: true },
  landlockAbi: 7,
  seccomp: true,
  namespaces: ['cgroup', 'ipc', 'mnt', 'net', 'pid', 'user', 'uts'],
  userNamespacesRefused: null,
  uidRanges: [{ first: 0, count: 4_294_967_295 }],
  cgroups: { folders: CONTROLLERS, missing: {} },
};
const ORDINARY: Machine = {
  ...ROOT,
  uid: 1000,
  gid: 1000,
  capabilities: { administrate: false, changeUser: false },
  cgroups: { folders: {}, missing: { memory: 'not writable', pids: 'not writable', cpu: 'not writable' } },
};

const REQUEST: SandboxRequest = {
  component: 'shop',
  kind: 'function',
  network: 'full',
  uid: 1_900_000_007,
  readable: ['/app/shop'],
  writable: ['/app/data'],
  sockets: ['/run/fulcrum/wire'],
  hidden: [],
  mountPoint: '/run/fulcrum/root',
  tmpFolder: '/run/fulcrum/tmp/shop',
  tmpBytes: 64 * 1024 * 1024,
  openFiles: 1_024,
  processes: 256,
  memoryBytes: 1024 ** 3,
  cpuWeight: 100,
  cgroupName: 'fulcrum-shop',
};

const statesOf = (plan: SandboxPlan): Partial<Record<LayerName, Layer['state']>> =>
  Object.fromEntries(plan.layers.map(({ name, state }) => [name, state]));
const reasonOf = (plan: SandboxPlan, wanted: LayerName): string | null => {
  const layer = plan.layers.find(({ name }) => name === wanted)!;
  return layer.state === 'on' ? null : layer.reason;
};
const namesIn = (plan: SandboxPlan, state: Layer['state']): LayerName[] =>
  plan.layers.filter((layer) => layer.state === state).map(({ name }) => name);

test('of what is hidden, what the component reads itself is seen', () => {
  const { tree } = planSandbox(ROOT, {
    ...REQUEST,
    readable: ['/app', '/app/.fulcrum/build/a', '/app/.fulcrum/build/a/chunk', '/usr/node'],
    hidden: ['/app/.fulcrum', '/app/.fulcrum/data', '/app/.env'],
  });
  assert.deepEqual(tree.readable, ['/app', '/usr/node']);
  assert.deepEqual(tree.hidden, ['/app/.env', '/app/.fulcrum']);
  assert.deepEqual(tree.uncovered, ['/app/.fulcrum/build/a']);
});

test('owners of files are mapped only where there is a user to map them to, and a tree to mount them in', () => {
  const owned = [{ namespace: '/proc/1/fd/9', paths: ['/app/data'] }];
  const ownedOn = (machine: Machine, uid: number | null): unknown =>
    planSandbox(machine, { ...REQUEST, uid, owned }).tree.owned;
  assert.deepEqual(ownedOn(ROOT, 7), owned);
  assert.deepEqual(ownedOn(ROOT, null), []);
  assert.deepEqual(ownedOn(ORDINARY, 7), []);
  const container = { ...ROOT, capabilities: { administrate: false, changeUser: true } };
  assert.deepEqual(ownedOn(container, 7), []);
});

test('why a component has no user of its own is told in the words of whoever knows', () => {
  const plan = planSandbox(ROOT, { ...REQUEST, uid: null, uidMissing: 'its files are closed' });
  assert.equal(reasonOf(plan, 'user'), 'its files are closed');
});

test('a failed attempt counts for more than what the machine promises', () => {
  for (const machine of [ROOT, ORDINARY]) {
    const plan = planSandbox({ ...machine, namespacesFailed: 'refused' }, REQUEST);
    assert.equal(plan.route, 'plain');
    assert.equal(reasonOf(plan, 'files'), 'refused');
  }
});

test('a control group that could not be made is a missing layer, and is not joined', () => {
  const plan = planSandbox(ROOT, REQUEST);
  assert.equal(withoutControllers(plan, {}), plan);
  const without = withoutControllers(plan, { memory: 'EBUSY' });
  assert.deepEqual(Object.keys(without.cgroup!.folders), ['pids', 'cpu']);
  assert.equal(reasonOf(without, 'memory'), 'EBUSY');
  assert.equal(reasonOf(without, 'pids'), null);
  assert.equal(withoutControllers(plan, { memory: 'x', pids: 'x', cpu: 'x' }).cgroup, null);
});

test('every layer is listed once, whatever the machine', () => {
  for (const machine of [ROOT, ORDINARY, { ...ROOT, platform: 'darwin', ffi: false }]) {
    for (const kind of ['function', 'program'] as const) {
      const plan = planSandbox(machine, { ...REQUEST, kind });
      assert.deepEqual(plan.layers.map(({ name }) => name).sort(), Object.keys(LAYERS).sort());
    }
  }
});

describe('the ladder', () => {
  test('root: all layers, its own user', () => {
    const plan = planSandbox(ROOT, REQUEST);
    assert.equal(plan.route, 'root');
    assert.deepEqual(namesIn(plan, 'missing'), []);
    assert.deepEqual(namesIn(plan, 'unasked'), ['network']);
    assert.equal(plan.uid, 1_900_000_007);
    assert.deepEqual(plan.namespaces, ['mnt', 'ipc', 'uts', 'cgroup']);
    assert.equal(plan.ownProcesses, true);
    assert.equal(plan.mountPoint, '/run/fulcrum/root');
    assert.equal(plan.tree.tmpFolder, '/tmp');
    assert.deepEqual(plan.seccomp, { sharedIpc: false, internet: true });
  });

  test('an ordinary user: a user namespace stands for the user, control groups are missing', () => {
    const plan = planSandbox(ORDINARY, REQUEST);
    assert.equal(plan.route, 'user-namespace');
    assert.deepEqual(namesIn(plan, 'missing'), ['memory', 'pids', 'cpu']);
    assert.deepEqual(namesIn(plan, 'unasked'), ['user', 'network']);
    assert.equal(plan.uid, null);
    assert.equal(plan.ownProcesses, true);
    assert.equal(plan.cgroup, null);
  });

  test('an ordinary user without user namespaces: Landlock, seccomp and limits, and why not more', () => {
    const refused = 'user namespaces are switched off (sysctl user.max_user_namespaces is 0)';
    const plan = planSandbox({ ...ORDINARY, userNamespacesRefused: refused }, REQUEST);
    assert.equal(plan.route, 'plain');
    assert.deepEqual(namesIn(plan, 'on'), ['landlock', 'scopes', 'calls', 'privileges', 'limits']);
    for (const name of ['files', 'processes', 'ipc'] as const) assert.equal(reasonOf(plan, name), refused);
    assert.deepEqual(plan.namespaces, []);
    assert.equal(plan.mountPoint, null);
    assert.equal(plan.tree.tmpFolder, '/run/fulcrum/tmp/shop');
    // It shares the host's IPC, so that it gets none of it.
    assert.equal(plan.seccomp!.sharedIpc, false);
  });

  test("a container's root: its own user still, and nothing that needs CAP_SYS_ADMIN", () => {
    const machine = { ...ROOT, capabilities: { administrate: false, changeUser: true } };
    const plan = planSandbox(machine, REQUEST);
    assert.equal(plan.route, 'plain');
    assert.equal(statesOf(plan).user, 'on');
    assert.match(reasonOf(plan, 'files')!, /CAP_SYS_ADMIN/);
    assert.equal(plan.uid, 1_900_000_007);
  });

  test('without foreign functions: nothing, and it says so', () => {
    const plan = planSandbox({ ...ROOT, ffi: false, landlockAbi: 0, seccomp: false }, REQUEST);
    assert.deepEqual(
      namesIn(plan, 'on').filter((name) => !['memory', 'pids', 'cpu'].includes(name)),
      [],
    );
    assert.match(reasonOf(plan, 'privileges')!, /foreign functions/);
  });
});

describe('a program', () => {
  test("has its own user instead of its own process tree, and the host's root may give both", () => {
    const plan = planSandbox(ROOT, { ...REQUEST, kind: 'program' });
    assert.equal(plan.ownProcesses, false);
    assert.equal(statesOf(plan).processes, 'unasked');
    assert.equal(plan.seccomp!.sharedIpc, true);
    assert.deepEqual(essentialMissing(plan.layers), []);
  });

  test('of an ordinary user has neither', () => {
    const plan = planSandbox(ORDINARY, { ...REQUEST, kind: 'program' });
    assert.equal(plan.route, 'plain');
    assert.equal(statesOf(plan).processes, 'missing');
    assert.equal(statesOf(plan).files, 'missing');
  });
});

describe("network: 'none'", () => {
  test('is a namespace', () => {
    const plan = planSandbox(ROOT, { ...REQUEST, network: 'none' });
    assert.ok(plan.namespaces.includes('net'));
    assert.equal(statesOf(plan).network, 'on');
    assert.equal(plan.seccomp!.internet, true);
  });

  test('is seccomp where there is none', () => {
    const plan = planSandbox({ ...ORDINARY, userNamespacesRefused: 'no' }, { ...REQUEST, network: 'none' });
    assert.equal(statesOf(plan).network, 'unasked');
    assert.match(reasonOf(plan, 'network')!, /refused by seccomp/);
    assert.equal(plan.seccomp!.internet, false);
  });

  test('is missing where there is neither', () => {
    const machine = { ...ORDINARY, userNamespacesRefused: 'no', seccomp: false };
    const plan = planSandbox(machine, { ...REQUEST, network: 'none' });
    assert.equal(statesOf(plan).network, 'missing');
  });
});

describe('an older kernel', () => {
  test('has Landlock without scopes', () => {
    const plan = planSandbox({ ...ROOT, landlockAbi: 4 }, REQUEST);
    assert.equal(statesOf(plan).landlock, 'on');
    assert.match(reasonOf(plan, 'scopes')!, /version 4; 6 came with Linux 6\.12/);
  });

  test('has no Landlock', () => {
    const plan = planSandbox({ ...ROOT, landlockAbi: 0, kernel: '5.10.0' }, REQUEST);
    assert.match(reasonOf(plan, 'landlock')!, /5\.10\.0/);
    assert.equal(plan.landlockAbi, 0);
  });
});

test('control groups: what is there is used, what is not is told', () => {
  const { cpu: _, ...folders } = CONTROLLERS;
  const plan = planSandbox({ ...ROOT, cgroups: { folders, missing: { cpu: 'no cpu controller' } } }, REQUEST);
  assert.deepEqual(Object.keys(plan.cgroup!.folders), ['memory', 'pids']);
  assert.equal(reasonOf(plan, 'cpu'), 'no cpu controller');
});

describe("isolation: 'required'", () => {
  test('takes a machine that gives everything, network: full included', () => {
    assert.equal(isolationRefusal('shop', planSandbox(ROOT, REQUEST).layers), null);
  });

  test('does not insist on fairness and names', () => {
    const layers: Layer[] = [
      { name: 'cpu', state: 'missing', reason: 'no' },
      { name: 'hostname', state: 'missing', reason: 'no' },
    ];
    assert.equal(isolationRefusal('shop', layers), null);
  });

  test('names each missing layer, what it is for and why it is missing', () => {
    const refusal = isolationRefusal('shop', planSandbox(ORDINARY, REQUEST).layers)!;
    assert.match(refusal, /"shop" asks for isolation: 'required'/);
    assert.match(refusal, /^- memory \(memory bounded .*\): not writable$/m);
    assert.match(refusal, /^- pids /m);
    assert.doesNotMatch(refusal, /^- cpu /m);
    assert.match(refusal, /isolation: 'best-effort'/);
  });
});

describe('what doctor says', () => {
  test('of a machine that gives everything', () => {
    const [functions, programs] = reportSandbox(ROOT);
    assert.deepEqual(
      [functions!.found, functions!.complete, functions!.missing],
      ['as root, nothing missing', true, []],
    );
    assert.deepEqual([programs!.kind, programs!.complete], ['program', true]);
  });

  test('of one that gives less: what is there, and what is missing and why', () => {
    const [functions, programs] = reportSandbox(ORDINARY);
    assert.match(functions!.found, /^as an ordinary user, by a user namespace: files, processes, ipc/);
    assert.equal(functions!.complete, false);
    assert.deepEqual(functions!.missing[0], `memory, ${LAYERS.memory}: not writable`);
    assert.match(programs!.found, /^without namespaces: landlock, scopes, calls/);
    assert.match(
      programs!.missing.join('\n'),
      /user.* can connect to that user's Unix sockets \(.*docker\.sock/,
    );
  });

  test('of one that gives nothing', () => {
    const macos = { ...ORDINARY, platform: 'darwin', ffi: false, landlockAbi: 0, seccomp: false };
    const [functions] = reportSandbox(macos);
    assert.deepEqual([functions!.found, functions!.complete], ['none', false]);
  });
});

test('a folder below another is read by way of that', () => {
  assert.deepEqual(outermost(['/a/b', '/a', '/ab', '/a/b/c', '/a']), ['/a', '/ab']);
});
