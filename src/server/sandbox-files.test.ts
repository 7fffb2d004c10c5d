import assert from 'node:assert/strict';
import { chmod, mkdir, mkdtemp, realpath, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import type { AppSpec, RunnableSpec } from '../model/app.ts';
import type { Revision } from '../model/revision.ts';
import { closedToOthers, componentFiles, type ComponentFiles } from './sandbox-files.ts';

async function folder(t: TestContext, ...entries: string[]): Promise<string> {
  const path = await realpath(await mkdtemp(join(tmpdir(), 'fulcrum-files-')));
  t.after(() => rm(path, { recursive: true, force: true }));
  for (const entry of entries) {
    const target = join(path, entry);
    await mkdir(entry.endsWith('/') ? target : join(target, '..'), { recursive: true });
    if (!entry.endsWith('/')) await writeFile(target, '');
  }
  return path;
}

interface Given {
  readonly kind?: 'module' | 'command';
  readonly storage?: readonly string[];
  readonly others?: readonly string[];
  readonly command?: string;
  readonly sources?: readonly string[];
  readonly path?: string;
  readonly storageDirectory?: string;
}

async function filesOf(directory: string, given: Given): Promise<ComponentFiles> {
  const {
    kind = 'module',
    storage = [],
    others = [],
    command = 'node x',
    sources = [],
    path = '/usr/bin',
    storageDirectory = null,
  } = given;
  const spec = { name: 'a', kind, storage, command, cwd: directory } as unknown as RunnableSpec;
  const other = { name: 'b', kind: 'module', storage: others } as unknown as RunnableSpec;
  const app = {
    directory,
    storageDirectory,
    components: new Map([spec, other].map((one) => [one.name, one])),
  } as unknown as AppSpec;
  const bundle = { path: join(directory, '.fulcrum', 'build', 'a', 'index.mjs'), sources };
  const revision = { kind, spec, bundle } as unknown as Revision;
  return await componentFiles(app, revision, join(directory, '.fulcrum'), path);
}

test('the app is seen but for its secrets, the data of the server and what others store', async (t) => {
  const app = await folder(
    t,
    '.env',
    '.env.local',
    '.environment',
    '.fulcrum/build/a/index.mjs',
    'data/',
    'theirs/',
  );
  const { readable, hidden, writable } = await filesOf(app, {
    storage: [join(app, 'data')],
    others: [join(app, 'theirs'), join(app, 'data')],
  });
  assert.ok(readable.includes(app));
  assert.ok(readable.includes(join(app, '.fulcrum', 'build', 'a')));
  assert.deepEqual(
    [...hidden].sort(),
    ['.env', '.env.local', '.fulcrum', 'theirs'].map((name) => join(app, name)),
  );
  assert.deepEqual(writable, [join(app, 'data')]);
});

test('a group sees and writes what its members do, and nothing of what others store', async (t) => {
  const app = await folder(
    t,
    '.env',
    'orders/',
    'stock/',
    'theirs/',
    'out/one/index.mjs',
    'out/two/index.mjs',
  );
  const spec = (name: string, ...storage: string[]): RunnableSpec =>
    ({ name, kind: 'module', storage: storage.map((path) => join(app, path)) }) as unknown as RunnableSpec;
  const members = [spec('checkout', 'orders'), spec('inventory', 'stock', 'orders')];
  const components = new Map([...members, spec('web', 'theirs')].map((one) => [one.name, one]));
  const group = {
    kind: 'group',
    name: 'core',
    members,
    storage: ['orders', 'stock'].map((path) => join(app, path)),
  };
  const revision = {
    kind: 'group',
    spec: group,
    members: ['one', 'two'].map((name) => ({
      bundle: { path: join(app, 'out', name, 'index.mjs'), sources: [] },
    })),
  } as unknown as Revision;
  const spec_ = { directory: app, storageDirectory: null, components, groups: new Map([['core', group]]) };
  const files = await componentFiles(
    spec_ as unknown as AppSpec,
    revision,
    join(app, '.fulcrum'),
    '/usr/bin',
  );
  for (const name of ['one', 'two']) assert.ok(files.readable.includes(join(app, 'out', name)), name);
  assert.deepEqual(files.writable.toSorted(), [join(app, 'orders'), join(app, 'stock')]);
  assert.deepEqual(files.hidden.toSorted(), [join(app, '.env'), join(app, 'theirs')]);
});

test('links in the app lead to what they point at, but not to what holds the app', async (t) => {
  const outside = await folder(t, 'packages/', 'linked/index.js', 'scoped/index.js', 'shared/');
  const workspace = await folder(t, 'node_modules/', 'app/node_modules/@x/');
  const app = join(workspace, 'app');
  await symlink(join(outside, 'linked'), join(app, 'node_modules', 'linked'));
  await symlink(join(outside, 'scoped'), join(app, 'node_modules', '@x', 'scoped'));
  await symlink(join(outside, 'shared'), join(app, 'shared'));
  await symlink('/', join(app, 'everything'));
  await symlink(workspace, join(app, 'around'));
  await symlink('/nowhere', join(app, 'dangling'));
  const { readable } = await filesOf(app, { sources: [join(app, 'a.ts')] });
  assert.deepEqual(
    readable.filter((path) => path.startsWith(outside)).sort(),
    ['linked', 'scoped', 'shared'].map((name) => join(outside, name)),
  );
  assert.ok(readable.includes(join(workspace, 'node_modules')), 'packages above the app');
  assert.ok(!readable.includes('/') && !readable.includes(workspace));
});

test('a link that leads through what components store is not followed: they decide where it ends', async (t) => {
  const outside = await folder(t, 'keys/id');
  const app = await folder(t, 'data/', 'theirs/', 'hop/');
  await symlink(join(outside, 'keys'), join(app, 'data', 'x'));
  await symlink(join(outside, 'keys'), join(app, 'theirs', 'x'));
  await symlink('data/x', join(app, 'latest'));
  await symlink('../theirs/x', join(app, 'hop', 'on'));
  await symlink('hop/on', join(app, 'twice'));
  const given = { storage: [join(app, 'data')], others: [join(app, 'theirs')] };
  const { readable, writable } = await filesOf(app, given);
  assert.deepEqual(
    readable.filter((path) => path.startsWith(outside)),
    [],
  );
  assert.deepEqual(writable, [join(app, 'data')]);
});

test('what is stored in lies in the app, once every link is followed, and nothing of it inside another', async (t) => {
  const outside = await folder(t, 'keys/id');
  const app = await folder(t, 'data/inner/', 'disk/');
  await symlink(join(app, 'disk'), join(app, 'files'));
  const { writable } = await filesOf(app, {
    storage: ['data/inner', 'data', 'files'].map((name) => join(app, name)),
  });
  assert.deepEqual(writable.toSorted(), [join(app, 'data'), join(app, 'disk')]);
  await symlink(join(outside, 'keys'), join(app, 'data', 'x'));
  await assert.rejects(filesOf(app, { storage: [join(app, 'data', 'x')] }), {
    code: 'config-invalid',
    message: /^'data\/x', which a stores in, leads out of the app's folder by a link/,
  });
});

test('of a release nothing outside its tree is seen but the programs of PATH', async (t) => {
  const outside = await folder(t, 'keys/id', 'bin/', 'lib/', 'releases/node_modules/');
  const tree = join(outside, 'releases', '1');
  await mkdir(join(tree, 'node_modules'), { recursive: true });
  await symlink(join(outside, 'keys'), join(tree, 'peek'));
  const { readable, writable } = await filesOf(tree, {
    kind: 'command',
    command: `node x.js ${join(outside, 'keys', 'id')}`,
    path: `/usr/bin:${join(outside, 'bin')}`,
    storage: [join(tree, 'data', 'x'), join(tree, 'data')],
    storageDirectory: join(outside, 'storage'),
  });
  assert.deepEqual(readable.toSorted(), [join(outside, 'bin'), join(outside, 'lib'), tree]);
  assert.deepEqual(writable, [join(outside, 'storage', 'data')]);
});

test('sources in another package of the workspace are seen with that package', async (t) => {
  const workspace = await folder(t, 'app/a.ts', 'lib/src/b.ts');
  await writeFile(join(workspace, 'lib', 'package.json'), '{ "name": "lib" }');
  const sources = [join(workspace, 'app', 'a.ts'), join(workspace, 'lib', 'src', 'b.ts')];
  const { readable } = await filesOf(join(workspace, 'app'), { sources });
  assert.ok(readable.includes(join(workspace, 'lib')));
});

test('a command finds programs where PATH says, with the libraries beside them, and what it names itself', async (t) => {
  const app = await folder(t);
  const prefix = await folder(t, 'bin/node', 'lib/node_modules/', 'share/private', 'other/tool');
  const { readable } = await filesOf(app, {
    kind: 'command',
    path: `/usr/bin:${prefix}/bin:/does/not/exist:relative`,
    command: `${prefix}/other/tool --serve`,
  });
  assert.deepEqual(
    readable.filter((path) => path !== app).sort(),
    ['bin', 'lib', 'other'].map((name) => join(prefix, name)),
  );
});

test('what is closed to other users is told by its name', async (t) => {
  const path = await folder(t, 'open/file', 'closed/file');
  await chmod(path, 0o755);
  await chmod(join(path, 'open', 'file'), 0o600);
  await chmod(join(path, 'closed'), 0o700);
  assert.equal(await closedToOthers([join(path, 'open')], [], false), null);
  const file = join(path, 'open', 'file');
  assert.equal(await closedToOthers([], [file], false), `${file} is closed to other users`);
  const inner = join(path, 'closed', 'file');
  assert.equal(await closedToOthers([inner], [], false), null, 'a mount leads there');
  assert.equal(await closedToOthers([inner], [], true), `${join(path, 'closed')} is closed to other users`);
});
