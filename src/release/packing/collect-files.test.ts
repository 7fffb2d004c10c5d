import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { once } from 'node:events';
import { join } from 'node:path';
import { suite, test, type TestContext } from 'node:test';
import fc from 'fast-check';
import { FulcrumError } from '../../base/errors.ts';
import { hostPlatform } from '../../base/platform.ts';
import { takeBlobs } from '../take-blobs.ts';
import { FolderBlobs, folder, treeOf, write, type Content } from '../testing/folders.ts';
import { treeProblems } from '../tree-problems.ts';
import { unpackRelease } from '../unpack.ts';
import { blobTar } from './blob-tar.ts';
import { collectFiles, type CollectOptions } from './collect-files.ts';
import { hashFiles } from './hash-files.ts';
import { refuseExcess, refuseProblems } from './pack-refusal.ts';

const RUNS = process.env['FULCRUM_FULL'] === '1' ? 300 : 30;
const PLATFORM = { os: 'linux', arch: 'x64', libc: 'glibc' };

function collect(directory: string, more: Partial<CollectOptions> = {}): ReturnType<typeof collectFiles> {
  return collectFiles({
    directory,
    storage: [],
    commands: [],
    needs: [],
    bundles: [],
    folders: [],
    platform: PLATFORM,
    ...more,
  });
}

function app(t: TestContext, tree: Readonly<Record<string, Content>>): string {
  const directory = folder(t);
  write(directory, tree);
  return directory;
}

async function paths(directory: string, more: Partial<CollectOptions> = {}): Promise<string[]> {
  const { files, problems } = await collect(directory, more);
  assert.deepEqual(problems, []);
  return files.map(({ path }) => path);
}

/** Packs, uploads, takes and unpacks. */
async function sent(t: TestContext, directory: string, more: Partial<CollectOptions> = {}): Promise<string> {
  const { files: found, problems } = await collect(directory, more);
  assert.deepEqual(problems, []);
  const { files, sources, problems: unread } = await hashFiles(found);
  assert.deepEqual(unread, []);
  assert.deepEqual(treeProblems(files, 20), []);
  const there = folder(t);
  const blobs = new FolderBlobs(join(there, 'blobs'));
  await takeBlobs(blobTar([...sources]), blobs);
  await unpackRelease({ files, storage: [], blobs, directory: join(there, 'tree') });
  return join(there, 'tree');
}

const json = (value: object): string => JSON.stringify(value);

void suite('which files go along', () => {
  void test('the app’s own do, tests and sources too; secrets, packages, version control, storage and junk do not', async (t) => {
    const directory = app(t, {
      'fulcrum.config.ts': '',
      'a.ts': '',
      'a.test.ts': '',
      'public/app.css': '',
      '.gitignore': 'dist',
      'dist/built.js': '',
      '.well-known/x': '',
      '.env': 'KEY=1',
      '.env.local': 'KEY=1',
      '.env.example': 'KEY=',
      '.envrc': '',
      'legacy/.env': 'KEY=1',
      '.npmrc': '//registry/:_authToken=1',
      'node_modules/x/index.js': '',
      'legacy/node_modules/x/index.js': '',
      '.git/config': '',
      '.fulcrum/fulcrum.db': '',
      'data/orders.json': '',
      'var/lib/db': '',
      '.DS_Store': '',
      '.vscode/settings.json': '',
      'a.ts.swp': '',
      'a.ts~': '',
    });
    assert.deepEqual(
      await paths(directory, { storage: [join(directory, 'data'), join(directory, 'var/lib')] }),
      [
        '.gitignore',
        '.well-known/x',
        'a.test.ts',
        'a.ts',
        'dist/built.js',
        'fulcrum.config.ts',
        'public/app.css',
      ],
    );
  });

  void test('.fulcrumignore takes out and brings back, but no secrets and no packages', async (t) => {
    const directory = app(t, {
      '.fulcrumignore':
        '# comment\n*.test.ts\n/docs/\n!docs-not\n!.vscode/\n!.env\n!node_modules\nbig*.bin\n!big-but-needed.bin\n',
      'a.ts': '',
      'a.test.ts': '',
      'deep/b.test.ts': '',
      'docs/x.md': '',
      'deep/docs/x.md': '',
      '.vscode/settings.json': '',
      '.env': '',
      'node_modules/x/index.js': '',
      'big1.bin': '',
      'big-but-needed.bin': '',
    });
    assert.deepEqual(await paths(directory), [
      '.vscode/settings.json',
      'a.ts',
      'big-but-needed.bin',
      'deep/docs/x.md',
    ]);
  });

  void test('links within the app stay links, in plain form; those that lead out are told', async (t) => {
    const directory = app(t, {
      'a.ts': 'a',
      'deep/er/b.ts': 'b',
      'deep/up': { link: '../a.ts' },
      folder: { link: 'deep/er' },
      odd: { link: './deep/../a.ts' },
      cycle: { link: '.' },
      dangling: { link: 'not/there' },
      one: { link: 'two' },
      two: { link: 'one' },
    });
    symlinkSync(join(directory, 'deep'), join(directory, 'absolute'));
    symlinkSync('/etc/passwd', join(directory, 'deep/passwd'));
    symlinkSync('../../elsewhere', join(directory, 'deep/out'));
    const { files, problems } = await collect(directory);
    const links = Object.fromEntries(
      files.flatMap((file) => (file.kind === 'link' ? [[file.path, file.target]] : [])),
    );
    assert.deepEqual(links, {
      absolute: 'deep',
      cycle: '.',
      dangling: 'not/there',
      'deep/up': '../a.ts',
      folder: 'deep/er',
      odd: 'a.ts',
      one: 'two',
      two: 'one',
    });
    assert.deepEqual(problems.map(({ path }) => path).toSorted(), ['deep/out', 'deep/passwd']);
    const { files: hashed } = await hashFiles(files);
    assert.deepEqual(
      treeProblems(hashed, 20).map(({ message }) => message),
      ['is a link that leads in a circle', 'is a link that leads in a circle'],
    );
  });

  void test('sockets, pipes and files that cannot be read are told by name', async (t) => {
    const directory = app(t, { 'a.ts': '', 'gone.ts': '' });
    const server = createServer().listen(join(directory, 'app.sock'));
    await once(server, 'listening');
    t.after(() => server.close());
    execFileSync('mkfifo', [join(directory, 'pipe')]);
    const { files, problems } = await collect(directory);
    assert.deepEqual(
      problems.toSorted((a, b) => (a.path < b.path ? -1 : 1)),
      [
        { path: 'app.sock', message: 'is a socket, and no file' },
        { path: 'pipe', message: 'is a named pipe, and no file' },
      ],
    );
    rmSync(join(directory, 'gone.ts'));
    const hashed = await hashFiles(files);
    assert.match(hashed.problems[0]!.message, /cannot be read: ENOENT/);
    assert.throws(
      () => refuseProblems([...problems, ...hashed.problems]),
      /3 files cannot go along:\n {2}app\.sock is a socket/,
    );
  });

  void test('names that could take over a terminal are refused, and shown harmlessly', async (t) => {
    const directory = app(t, { 'a\u001B[2Jb': '', 'line\nbreak': '' });
    const { files } = await hashFiles((await collect(directory)).files);
    const problems = treeProblems(files, 20).map(({ index, message }) => ({
      path: files[index]!.path,
      message,
    }));
    assert.equal(problems.length, 2);
    assert.throws(
      () => refuseProblems(problems),
      (error) => error instanceof FulcrumError && !/\p{Cc}/u.test(error.message.replaceAll('\n', '')),
    );
  });

  void test('too much names the largest folders', async (t) => {
    const directory = app(t, {
      'a.ts': 'x',
      'videos/1.mp4': 'x'.repeat(5_000),
      'node_modules/@scope/big/x': 'x'.repeat(3_000),
      'node_modules/@scope/big/package.json': '{}',
    });
    const { files } = await collect(directory, {
      commands: [{ name: 'web', command: 'node a.ts', cwd: directory }],
    });
    assert.throws(
      () => refuseExcess(files, { files: 10, totalBytes: 1_000 }),
      /has 4 files of .*at most 10 and .*largest folders:\n {2}videos: 1 files, .*\n {2}node_modules\/@scope\/big: 2 files/,
    );
    assert.throws(
      () => refuseExcess(files, { files: 3, totalBytes: 1e6 }),
      /largest folders:\n {2}node_modules\/@scope\/big: 2 files/,
    );
    refuseExcess(files, { files: 4, totalBytes: 1e6 });
  });
});

void suite('packages of a command', () => {
  const command = (directory: string, line: string, cwd = directory): Partial<CollectOptions> => ({
    commands: [{ name: 'web', command: line, cwd }],
  });
  const installed = (name: string, more: object = {}): Record<string, string> => ({
    [`node_modules/${name}/package.json`]: json({ name, version: '1.0.0', ...more }),
    [`node_modules/${name}/index.js`]: name,
  });

  void test('those that package.json lists for production go along with theirs; others do not', async (t) => {
    const directory = app(t, {
      'server.js': '',
      'package.json': json({
        name: 'app',
        dependencies: { a: '1', '@s/b': '1' },
        devDependencies: { dev: '1' },
      }),
      ...installed('a', { dependencies: { deep: '1' } }),
      ...installed('@s/b', { dependencies: { deep: '2' }, peerDependencies: { peer: '1', absent: '1' } }),
      ...installed('deep', { optionalDependencies: { 'not-there': '1' } }),
      ...installed('peer'),
      ...installed('dev', { dependencies: { 'of-dev': '1' } }),
      ...installed('of-dev'),
      ...installed('stray'),
      'node_modules/@s/b/node_modules/deep/package.json': json({ name: 'deep', version: '2.0.0' }),
      'node_modules/a/.env': 'KEY=1',
      'node_modules/.package-lock.json': '{}',
    });
    assert.deepEqual(await paths(directory, command(directory, 'node server.js')), [
      'node_modules/@s/b/index.js',
      'node_modules/@s/b/node_modules/deep/package.json',
      'node_modules/@s/b/package.json',
      'node_modules/a/index.js',
      'node_modules/a/package.json',
      'node_modules/deep/index.js',
      'node_modules/deep/package.json',
      'node_modules/peer/index.js',
      'node_modules/peer/package.json',
      'package.json',
      'server.js',
    ]);
  });

  for (const line of [
    'tsx server.ts',
    'npx tsx server.ts',
    'npm start',
    'node --run start',
    'node --import tsx/esm server.ts',
  ]) {
    void test(`a tool for development that \`${line}\` names goes along, with its program`, async (t) => {
      const directory = app(t, {
        'server.ts': '',
        'package.json': json({
          scripts: { start: 'npm run serve', serve: 'NODE_ENV=production tsx server.ts' },
          dependencies: {},
          devDependencies: { tsx: '1', dev: '1' },
        }),
        ...installed('tsx', { bin: './cli.mjs' }),
        'node_modules/tsx/cli.mjs': { program: '#!/usr/bin/env node' },
        ...installed('dev', { bin: { dev: 'x' } }),
        'node_modules/.bin/tsx': { link: '../tsx/cli.mjs' },
        'node_modules/.bin/dev': { link: '../dev/x' },
      });
      const { files, notes } = await collect(directory, command(directory, line));
      const found = files.map(({ path }) => path).filter((path) => path.startsWith('node_modules/'));
      assert.deepEqual(found, [
        'node_modules/.bin/tsx',
        'node_modules/tsx/cli.mjs',
        'node_modules/tsx/index.js',
        'node_modules/tsx/package.json',
      ]);
      assert.deepEqual(notes, ['web: tsx goes along, for the command names it.']);
    });
  }

  void test('a package.json in the command’s own folder counts before the app’s', async (t) => {
    const directory = app(t, {
      'package.json': json({ dependencies: { outer: '1' } }),
      'legacy/package.json': json({ dependencies: { inner: '1', outer: '1' } }),
      ...installed('outer'),
      'legacy/node_modules/inner/package.json': json({ name: 'inner' }),
      'legacy/server.js': '',
    });
    const found = await paths(directory, command(directory, 'node server.js', join(directory, 'legacy')));
    assert.deepEqual(
      found.filter((path) => path.includes('node_modules')),
      [
        'legacy/node_modules/inner/package.json',
        'node_modules/outer/index.js',
        'node_modules/outer/package.json',
      ],
    );
  });

  void test('one that is listed and not installed is told', async (t) => {
    const directory = app(t, { 'server.js': '', 'package.json': json({ dependencies: { gone: '1' } }) });
    const { problems } = await collect(directory, command(directory, 'node server.js'));
    assert.deepEqual(problems, [
      {
        path: 'gone',
        message: "is a dependency of package.json, and is not installed; install the app's packages first",
      },
    ]);
  });

  void test('without a package.json that lists any, all that is installed goes along', async (t) => {
    const directory = app(t, {
      'server.js': '',
      ...installed('a'),
      'node_modules/.bin/a': { link: '../a/index.js' },
      'node_modules/.cache/x': '',
    });
    const { files, notes } = await collect(directory, command(directory, 'node server.js'));
    assert.deepEqual(
      files.map(({ path }) => path),
      ['node_modules/.bin/a', 'node_modules/a/index.js', 'node_modules/a/package.json', 'server.js'],
    );
    assert.match(notes[0]!, /all installed packages go along/);
  });

  void test('what pnpm links stays linked, and is found', async (t) => {
    const store = 'node_modules/.pnpm';
    const directory = app(t, {
      'server.js': `console.log(require('a'));`,
      'package.json': json({ dependencies: { a: '1' } }),
      [`${store}/a@1/node_modules/a/package.json`]: json({ name: 'a', dependencies: { b: '1' } }),
      [`${store}/a@1/node_modules/a/index.js`]: `module.exports = 'a with ' + require('b');`,
      [`${store}/a@1/node_modules/b`]: { link: '../../b@1/node_modules/b' },
      [`${store}/b@1/node_modules/b/package.json`]: json({ name: 'b' }),
      [`${store}/b@1/node_modules/b/index.js`]: `module.exports = 'b';`,
      [`${store}/c@1/node_modules/c/package.json`]: json({ name: 'c' }),
      'node_modules/a': { link: '.pnpm/a@1/node_modules/a' },
    });
    const tree = await sent(t, directory, command(directory, 'node server.js'));
    assert.equal(
      execFileSync(process.execPath, ['server.js'], { cwd: tree, encoding: 'utf8' }),
      'a with b\n',
    );
    assert.ok(!Object.keys(await treeOf(tree)).some((path) => path.includes('c@1')));
  });

  void test('a workspace’s packages, hoisted and linked, come to lie in the app', async (t) => {
    const root = app(t, {
      'package.json': json({ workspaces: ['apps/*', 'packages/*'] }),
      'apps/web/server.js': `console.log(require('a'), require('@ws/money'));`,
      'apps/web/package.json': json({ dependencies: { a: '1', '@ws/money': '*' } }),
      'packages/money/package.json': json({ name: '@ws/money', dependencies: { own: '1', a: '1' } }),
      'packages/money/index.js': `module.exports = 'money with ' + require('own') + ' and ' + require('a');`,
      'packages/money/node_modules/own/package.json': json({ name: 'own' }),
      'packages/money/node_modules/own/index.js': `module.exports = 'own';`,
      'node_modules/@ws/money': { link: '../../packages/money' },
      ...installed('a', { dependencies: { nested: '1', own: '1' } }),
      'node_modules/a/index.js': `module.exports = 'a with ' + require('nested') + require('own');`,
      'node_modules/own/package.json': json({ name: 'own', version: '1.0.0' }),
      'node_modules/own/index.js': `module.exports = ' and the other own';`,
      'node_modules/a/node_modules/nested/package.json': json({ name: 'nested' }),
      'node_modules/a/node_modules/nested/index.js': `module.exports = 'nested';`,
      ...installed('of-another-app'),
    });
    const directory = join(root, 'apps/web');
    const tree = await sent(t, directory, command(directory, 'node server.js'));
    assert.equal(
      execFileSync(process.execPath, ['server.js'], { cwd: tree, encoding: 'utf8' }),
      'a with nested and the other own money with own and a with nested and the other own\n',
    );
    assert.ok(Object.values(await treeOf(tree)).every((what) => !what.startsWith('link')));
  });

  void test('express, as it is installed here, serves from where it was unpacked', async (t) => {
    const directory = app(t, {
      'package.json': json({ dependencies: { express: '*' } }),
      'server.js': `
        const express = require('express');
        const app = express();
        app.get('/', (request, response) => response.send('from the tree'));
        const server = app.listen(0, async () => {
          const answer = await fetch('http://127.0.0.1:' + server.address().port);
          console.log(await answer.text(), require.resolve('express').startsWith(__dirname));
          server.close(); server.closeAllConnections();
        });`,
    });
    mkdirSync(join(directory, 'node_modules'));
    symlinkSync(
      join(import.meta.dirname, '../../../node_modules/express'),
      join(directory, 'node_modules/express'),
    );
    const tree = await sent(t, directory, command(directory, 'node server.js'));
    const run = (): string => execFileSync(process.execPath, ['server.js'], { cwd: tree, encoding: 'utf8' });
    assert.equal(run(), 'from the tree true\n');
    // An app whose packages lie in itself comes out as it is.
    const again = await sent(t, tree, command(tree, 'node server.js'));
    assert.deepEqual(await treeOf(again), await treeOf(tree));
  });
});

void suite('native code', () => {
  const ELF_X64 = Buffer.from('7f454c4602010100000000000000000003003e00010000000000000000000000', 'hex');
  const elf = (machine: number, libc: string): Buffer => {
    const bytes = Buffer.concat([ELF_X64, Buffer.alloc(100), Buffer.from(`${libc}\0`)]);
    bytes.writeUInt16LE(machine, 18);
    return bytes;
  };
  const X64 = elf(0x3e, 'libc.so.6');
  const ARM64 = elf(0xb7, 'libc.so.6');
  const MUSL = elf(0x3e, 'libc.musl-x86_64.so.1');
  const MAC = Buffer.from('cffaedfe0c00000100000000060000000000000000000000', 'hex');
  const UNIVERSAL = Buffer.from(
    `cafebabe00000002${'01000007000000030000400000001000000000e'.padEnd(40, '0')}${'0100000c'.padEnd(40, '0')}`,
    'hex',
  );
  const PE = Buffer.concat([
    Buffer.from('4d5a', 'hex'),
    Buffer.alloc(58),
    Buffer.from('40000000', 'hex'),
    Buffer.from('504500006486', 'hex'),
    Buffer.alloc(20),
  ]);

  const withPackages = (
    t: TestContext,
    dependencies: readonly string[],
    tree: Readonly<Record<string, Content>>,
  ): string =>
    app(t, {
      'server.js': '',
      'package.json': json({ dependencies: Object.fromEntries(dependencies.map((name) => [name, '*'])) }),
      ...tree,
    });
  const mismatches = async (directory: string, platform = PLATFORM): Promise<string[]> => {
    const found = await collect(directory, {
      platform,
      commands: [{ name: 'web', command: 'node server.js', cwd: directory }],
    });
    assert.deepEqual(found.problems, []);
    return found.mismatches.map(({ what, message }) => `${what} ${message}`);
  };

  const KINDS: readonly (readonly [string, Buffer, string | null])[] = [
    ['x64 with glibc', X64, null],
    ['arm64', ARM64, 'db is built for linux arm64 (glibc) (node_modules/db/build/Release/db.node)'],
    ['x64 with musl', MUSL, 'db is built for linux x64 (musl) (node_modules/db/build/Release/db.node)'],
    ['a Mac', MAC, 'db is built for darwin arm64 (node_modules/db/build/Release/db.node)'],
    ['two Macs', UNIVERSAL, 'db is built for darwin x64 (node_modules/db/build/Release/db.node)'],
    ['Windows', PE, 'db is built for win32 x64 (node_modules/db/build/Release/db.node)'],
  ];
  for (const [name, bytes, expected] of KINDS) {
    void test(`an addon built for ${name} on linux x64 with glibc`, async (t) => {
      const directory = withPackages(t, ['db'], {
        'node_modules/db/package.json': json({ name: 'db', gypfile: true }),
        'node_modules/db/build/Release/db.node': bytes,
      });
      assert.deepEqual(await mismatches(directory), expected === null ? [] : [expected]);
    });
  }

  void test('prebuilt code for many platforms is right where one of them fits', async (t) => {
    const tree = {
      'node_modules/db/package.json': json({ name: 'db' }),
      'node_modules/db/prebuilds/darwin-arm64/db.node': MAC,
      'node_modules/db/prebuilds/linux-x64/db.glibc.node': X64,
      'node_modules/db/prebuilds/linux-x64/db.musl.node': MUSL,
    };
    const directory = withPackages(t, ['db'], tree);
    assert.deepEqual(await mismatches(directory), []);
    assert.deepEqual(await mismatches(directory, { ...PLATFORM, libc: 'musl' }), []);
    assert.equal((await mismatches(directory, { ...PLATFORM, arch: 'arm64' })).length, 1);
  });

  const part = (name: string, os: string, cpu: string, more: object = {}): Record<string, string> => ({
    [`node_modules/${name}/package.json`]: json({ name, os: [os], cpu: [cpu], ...more }),
  });
  const esbuild = {
    'node_modules/esbuild/package.json': json({
      name: 'esbuild',
      optionalDependencies: {
        '@esbuild/darwin-arm64': '1',
        '@esbuild/linux-x64': '1',
        '@esbuild/linux-arm64': '1',
      },
    }),
  };

  void test('a package with one part for each platform needs the server’s', async (t) => {
    const wrong = withPackages(t, ['esbuild'], {
      ...esbuild,
      ...part('@esbuild/darwin-arm64', 'darwin', 'arm64'),
    });
    assert.deepEqual(await mismatches(wrong), [
      'esbuild has its native code in @esbuild/linux-x64, which is not installed (@esbuild/darwin-arm64 is)',
    ]);
    const both = withPackages(t, ['esbuild'], {
      ...esbuild,
      ...part('@esbuild/darwin-arm64', 'darwin', 'arm64'),
      ...part('@esbuild/linux-x64', 'linux', 'x64'),
    });
    assert.deepEqual(await mismatches(both), []);
    // What the server has no use for stays behind.
    const found = await paths(both, { commands: [{ name: 'web', command: 'node server.js', cwd: both }] });
    assert.deepEqual(
      found.filter((path) => path.includes('@esbuild')),
      ['node_modules/@esbuild/linux-x64/package.json'],
    );
  });

  void test('… by its C library as well', async (t) => {
    const sharp = {
      'node_modules/sharp/package.json': json({
        name: 'sharp',
        optionalDependencies: {
          '@img/sharp-linux-x64': '1',
          '@img/sharp-linuxmusl-x64': '1',
          '@img/sharp-wasm32': '1',
        },
      }),
    };
    const glibc = withPackages(t, ['sharp'], {
      ...sharp,
      ...part('@img/sharp-linux-x64', 'linux', 'x64', { libc: ['glibc'] }),
    });
    assert.deepEqual(await mismatches(glibc), []);
    assert.deepEqual(await mismatches(glibc, { ...PLATFORM, libc: 'musl' }), [
      'sharp has its native code in @img/sharp-linuxmusl-x64, which is not installed (@img/sharp-linux-x64 is)',
    ]);
    const wasm = withPackages(t, ['sharp'], {
      ...sharp,
      'node_modules/@img/sharp-wasm32/package.json': json({ name: '@img/sharp-wasm32', cpu: ['wasm32'] }),
    });
    assert.deepEqual(await mismatches(wasm), []);
  });

  void test('what only helps on another platform is left behind, and not missed', async (t) => {
    const directory = withPackages(t, ['chokidar'], {
      'node_modules/chokidar/package.json': json({
        name: 'chokidar',
        optionalDependencies: { fsevents: '1' },
      }),
      ...part('fsevents', 'darwin', '!none'),
      'node_modules/fsevents/fsevents.node': MAC,
    });
    assert.deepEqual(await mismatches(directory), []);
  });

  void test('a dependency that is for another platform is refused', async (t) => {
    const directory = withPackages(t, ['win'], {
      'node_modules/win/package.json': json({ name: 'win', os: ['win32', 'darwin'] }),
    });
    assert.deepEqual(await mismatches(directory), ['win is for win32 or darwin only']);
  });

  void test('code of the app’s own is looked at too', async (t) => {
    const directory = app(t, {
      'native/own.node': ARM64,
      'bin/tool': X64,
      'bin/run.sh': { program: '#!/bin/sh' },
    });
    assert.deepEqual(await mismatches(directory), [
      'native/own.node is built for linux arm64 (glibc) (native/own.node)',
    ]);
  });

  void test('real code of this machine fits it', async (t) => {
    const directory = app(t, { 'a.ts': '' });
    symlinkSync(process.execPath, join(directory, 'node'));
    writeFileSync(join(directory, 'copy.node'), '');
    execFileSync('cp', [process.execPath, join(directory, 'copy.node')]);
    rmSync(join(directory, 'node'));
    const found = await collect(directory, { platform: hostPlatform() });
    assert.deepEqual(found.mismatches, []);
    assert.equal(found.isNative, true);
  });
});

void suite('packed, sent and unpacked', () => {
  void test('any tree of an app comes out byte for byte, modes and links included', async (t) => {
    const name = fc.stringMatching(/^[a-c.é -]{1,3}$/u).filter((text) => !['.', '..'].includes(text));
    const path = fc.array(name, { minLength: 1, maxLength: 4 }).map((names) => names.join('/'));
    const content: fc.Arbitrary<Content> = fc.oneof(
      fc.uint8Array({ maxLength: 2_000 }),
      fc.string().map((program) => ({ program })),
      fc.constantFrom('../a', 'a', 'b/c', '.').map((link) => ({ link })),
    );
    let compared = 0;
    await fc.assert(
      fc.asyncProperty(fc.array(fc.tuple(path, content), { maxLength: 15 }), async (entries) => {
        const directory = folder(t);
        for (const [at, what] of entries) {
          try {
            write(directory, { [at]: what });
          } catch {
            // Something else has the name, or is in the way.
          }
        }
        const { files } = await hashFiles((await collect(directory)).files);
        if ((await collect(directory)).problems.length > 0 || treeProblems(files, 1).length > 0) return;
        const before = await treeOf(directory);
        assert.deepEqual(await treeOf(await sent(t, directory)), before);
        if (Object.keys(before).length > 0) compared += 1;
      }),
      { numRuns: RUNS },
    );
    assert.ok(compared > RUNS / 4, String(compared));
  });
});
