import assert from 'node:assert/strict';
import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { silentLogger } from '../base/log.ts';
import { groupRevision, moduleRevision } from '../build/revision.ts';
import { moduleSpec } from '../build/testing/test-app.ts';
import type { AppSpec, GroupSpec } from '../model/app.ts';
import type { ModuleRevision, Revision } from '../model/revision.ts';
import type { Machine } from '../runtime/sandbox/machine.ts';
import { ComponentUsers } from './component-users.ts';
import { SandboxScope } from './sandbox-scope.ts';

/** Which gives users their own, and nothing else. */
const MACHINE: Machine = {
  platform: 'linux',
  arch: 'x64',
  kernel: '6.18.0',
  ffi: true,
  uid: 0,
  gid: 0,
  capabilities: { administrate: false, changeUser: process.getuid?.() === 0 },
  landlockAbi: 0,
  seccomp: false,
  namespaces: [],
  userNamespacesRefused: 'not here',
  uidRanges: [{ first: 0, count: 4_294_967_295 }],
  cgroups: { folders: {}, missing: {} },
};

async function scene(t: TestContext) {
  const folder = await mkdtemp(join(tmpdir(), 'fulcrum-scope-'));
  // Or another user would not get through, and there would be none.
  await chmod(folder, 0o755);
  t.after(() => rm(folder, { recursive: true, force: true }));
  const scope = new SandboxScope({
    ...{ machine: MACHINE, folder, socketPath: join(folder, 'wire'), nodePath: process.execPath },
    ...{ compileCacheFolder: folder, dataDirectory: folder, path: '/usr/bin', logger: silentLogger },
    ...{
      app: 'shop',
      number: 1,
      tmpFolder: join(folder, 'tmp'),
      plans: new WeakMap(),
      closed: () => undefined,
    },
    users: new ComponentUsers(MACHINE, silentLogger),
  });
  t.after(() => scope.close());
  const revisions = ['cart', 'stock', 'web'].map((name): ModuleRevision => {
    const spec = { ...moduleSpec(name, join(folder, `${name}.ts`)), name };
    const bundle = {
      path: join(folder, name, 'index.mjs'),
      filesRoot: folder,
      digest: name,
      sizeBytes: 1,
      sources: [],
    };
    return moduleRevision(spec, {}, bundle);
  });
  const components = new Map(revisions.map(({ spec }) => [spec.name, spec]));
  const app = (groups: ReadonlyMap<string, GroupSpec>): AppSpec =>
    ({
      name: 'shop',
      environment: 'production',
      directory: folder,
      storageDirectory: null,
      components,
      groups,
    }) as unknown as AppSpec;
  const [cart, stock, web] = revisions as [ModuleRevision, ModuleRevision, ModuleRevision];
  const core: GroupSpec = { ...cart.spec, kind: 'group', name: 'core', members: [cart.spec, stock.spec] };
  const apart = { app: app(new Map()), revisions: revisions as Revision[] };
  const joined = {
    app: app(new Map([['core', core]])),
    revisions: [groupRevision(core, [cart, stock]), web],
  };
  return { scope, apart, joined };
}

test('a group is in one sandbox, under a user of its own that none of its members has', async (t) => {
  const { scope, apart, joined } = await scene(t);
  await scope.prepare(apart.app, apart.revisions, () => 'function');
  const users = ['cart', 'stock', 'web'].map((name) => scope.status(name, 'function')!.uid);
  await scope.prepare(joined.app, joined.revisions, () => 'function');
  const own = scope.status('core', 'function')!.uid;
  assert.equal(scope.status('web', 'function')!.uid, users[2]);
  if (own !== null) assert.equal(new Set([own, ...users]).size, 4);
  assert.notEqual(scope.status('core', 'program'), null, 'as a service, too');
});

test('what is no longer there keeps its sandbox until the deploy after: it serves while that starts, and if it fails', async (t) => {
  const { scope, apart, joined } = await scene(t);
  const known = (): string[] => ['cart', 'core'].filter((name) => scope.status(name, 'function') !== null);
  await scope.prepare(apart.app, apart.revisions, () => 'function');
  scope.deployed(apart.app);
  await scope.prepare(joined.app, joined.revisions, () => 'function');
  // It did not come up, and is tried again.
  await scope.prepare(joined.app, joined.revisions, () => 'function');
  assert.deepEqual(known(), ['cart', 'core']);
  scope.deployed(joined.app);
  assert.deepEqual(known(), ['cart', 'core'], 'whoever waited for it before is still served by it');
  scope.deployed(joined.app);
  assert.deepEqual(known(), ['core']);
});
