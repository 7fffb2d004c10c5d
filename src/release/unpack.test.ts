import assert from 'node:assert/strict';
import {
  chmodSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { spawnSync } from 'node:child_process';
import { suite, test, type TestContext } from 'node:test';
import fc from 'fast-check';
import { FulcrumError } from '../base/errors.ts';
import type { ReleaseFile } from '../model/release.ts';
import { FolderBlobs, folder, treeOf } from './testing/folders.ts';
import { file, link, sha256 } from './testing/release.ts';
import { treeProblems } from './tree-problems.ts';
import { removeDrafts, unpackRelease, type UnpackOptions } from './unpack.ts';

const RUNS = process.env['FULCRUM_FULL'] === '1' ? 500 : 50;

interface Setting extends UnpackOptions {
  readonly blobs: FolderBlobs;
  readonly parent: string;
}

/** A release whose files hold their own paths, its blobs there. */
async function setting(t: TestContext, files: readonly ReleaseFile[]): Promise<Setting> {
  const parent = folder(t);
  const blobs = new FolderBlobs(join(parent, 'blobs'));
  for (const { kind, path } of files) if (kind === 'file') await blobs.add(path);
  return { files, blobs, storage: [], parent, directory: join(parent, 'releases', '1') };
}

const FILES = [
  file('a.ts'),
  file('deep/er/b.css'),
  file('deep/run', 'deep/run', true),
  link('deep/link', '../a.ts'),
  link('folder', 'deep/er'),
];

async function refusal(promise: Promise<unknown>): Promise<FulcrumError> {
  const error: unknown = await promise.then(
    () => assert.fail('it was written'),
    (thrown: unknown) => thrown,
  );
  assert.ok(error instanceof FulcrumError, String(error));
  return error;
}

void suite('unpackRelease', () => {
  void test('writes files, programs and links, read-only, and nothing besides', async (t) => {
    const o = await setting(t, FILES);
    await unpackRelease(o);
    assert.deepEqual(await treeOf(o.directory), {
      'a.ts': `file ${sha256('a.ts')}`,
      'deep/er/b.css': `file ${sha256('deep/er/b.css')}`,
      'deep/link': 'link ../a.ts',
      'deep/run': `program ${sha256('deep/run')}`,
      folder: 'link deep/er',
    });
    assert.equal(lstatSync(join(o.directory, 'a.ts')).mode & 0o777, 0o444);
    assert.equal(lstatSync(join(o.directory, 'deep/run')).mode & 0o777, 0o555);
    assert.deepEqual(readdirSync(join(o.parent, 'releases')), ['1']);
  });

  void test('folders can be entered by others, whatever the umask', async (t) => {
    const o = await setting(t, FILES);
    const before = process.umask(0o077);
    try {
      await unpackRelease(o);
    } finally {
      process.umask(before);
    }
    for (const path of ['', 'deep', 'deep/er']) {
      assert.equal(statSync(join(o.directory, path)).mode & 0o777, 0o755, path);
    }
  });

  void test('a change in the tree does not reach the blob', async (t) => {
    const o = await setting(t, FILES);
    await unpackRelease(o);
    const path = join(o.directory, 'a.ts');
    chmodSync(path, 0o644);
    writeFileSync(path, 'changed');
    assert.equal(readFileSync(await o.blobs.path(sha256('a.ts')), 'utf8'), 'a.ts');
  });

  void test('what is there and right is not written again', async (t) => {
    const o = await setting(t, FILES);
    await unpackRelease(o);
    const { ino } = statSync(o.directory);
    await unpackRelease(o);
    assert.equal(statSync(o.directory).ino, ino);
  });

  const DAMAGES: readonly (readonly [string, (at: (path: string) => string) => void])[] = [
    ['a file is gone', (at) => rmSync(at('a.ts'))],
    [
      'a file is cut',
      (at) => (chmodSync(at('a.ts'), 0o644), writeFileSync(at('a.ts'), ''), chmodSync(at('a.ts'), 0o444)),
    ],
    [
      'a file of the same length holds something else',
      (at) => {
        chmodSync(at('a.ts'), 0o644);
        writeFileSync(at('a.ts'), 'b.ts');
        chmodSync(at('a.ts'), 0o444);
        utimesSync(at('a.ts'), 1, 1);
      },
    ],
    ['a program may not be run', (at) => chmodSync(at('deep/run'), 0o444)],
    ['a file may be written', (at) => chmodSync(at('a.ts'), 0o644)],
    ['a link leads elsewhere', (at) => (rmSync(at('folder')), symlinkSync('deep', at('folder')))],
    ['a link is a folder', (at) => (rmSync(at('folder')), mkdirSync(at('folder')))],
    [
      'a folder is a link',
      (at) => (renameSync(at('deep/er'), at('other')), symlinkSync('../other', at('deep/er'))),
    ],
    [
      'a file is a link to the like',
      (at) => (renameSync(at('a.ts'), at('z.ts')), symlinkSync('z.ts', at('a.ts'))),
    ],
    ['there is one more', (at) => writeFileSync(at('more'), '')],
    ['there is an empty folder more', (at) => mkdirSync(at('more'))],
  ];
  for (const [name, damage] of DAMAGES) {
    void test(`it is made anew where ${name}`, async (t) => {
      const o = await setting(t, FILES);
      await unpackRelease(o);
      const right = await treeOf(o.directory);
      damage((path) => join(o.directory, path));
      await unpackRelease(o);
      assert.deepEqual(await treeOf(o.directory), right);
      assert.deepEqual(readdirSync(join(o.parent, 'releases')), ['1']);
    });
  }

  void test('a blob that is missing leaves nothing behind', async (t) => {
    const o = await setting(t, FILES);
    const error = await refusal(unpackRelease({ ...o, files: [...FILES, file('never', 'uploaded')] }));
    assert.equal(error.code, 'store-failed');
    assert.deepEqual(readdirSync(join(o.parent, 'releases')), []);
  });

  void test('a damaged blob is told, and leaves nothing behind', async (t) => {
    const o = await setting(t, FILES);
    const path = await o.blobs.path(sha256('a.ts'));
    chmodSync(path, 0o644);
    writeFileSync(path, 'b.ts');
    const error = await refusal(unpackRelease(o));
    assert.equal(error.code, 'store-failed');
    assert.match(error.message, /a\.ts is damaged/);
    assert.deepEqual(readdirSync(join(o.parent, 'releases')), []);
  });

  void test('a release that cannot be made anew leaves the damaged one where it is', async (t) => {
    const o = await setting(t, FILES);
    await unpackRelease(o);
    rmSync(join(o.directory, 'deep/run'));
    rmSync(await o.blobs.path(sha256('a.ts')));
    await refusal(unpackRelease(o));
    assert.equal(readFileSync(join(o.directory, 'deep/er/b.css'), 'utf8'), 'deep/er/b.css');
  });

  void test('what a killed server left half-written is removed', async (t) => {
    const o = await setting(t, FILES);
    await unpackRelease(o);
    const releases = join(o.parent, 'releases');
    const ended = spawnSync('true').pid;
    for (const pid of [ended, process.pid, process.ppid]) {
      mkdirSync(join(releases, `.draft-${pid}-0123456789/deep`), { recursive: true });
    }
    await removeDrafts(releases);
    // Another living server may be at work on its own.
    assert.deepEqual(readdirSync(releases), [`.draft-${process.ppid}-0123456789`, '1']);
    await removeDrafts(join(o.parent, 'not-there'));
  });

  void test('several that unpack the same at once leave one, whole, and no whole one is moved', async (t) => {
    for (let round = 0; round < 20; round += 1) {
      const o = await setting(t, FILES);
      const inodes = new Set<number>();
      const look = (): unknown => inodes.add(statSync(o.directory).ino);
      await Promise.all(Array.from({ length: 5 }, () => unpackRelease(o).then(look)));
      assert.equal(Object.keys(await treeOf(o.directory)).length, FILES.length);
      assert.deepEqual(readdirSync(join(o.parent, 'releases')), ['1']);
      assert.equal(inodes.size, 1);
    }
  });

  void test('several that make a damaged one anew at once leave one, whole', async (t) => {
    for (let round = 0; round < 20; round += 1) {
      const o = await setting(t, FILES);
      await unpackRelease(o);
      rmSync(join(o.directory, 'deep/run'));
      await Promise.all(Array.from({ length: 5 }, () => unpackRelease(o)));
      assert.equal(Object.keys(await treeOf(o.directory)).length, FILES.length);
      assert.deepEqual(readdirSync(join(o.parent, 'releases')), ['1']);
    }
  });

  void test('storage is linked in, is kept, and is the same for the next release', async (t) => {
    const o = await setting(t, FILES);
    const storage = [
      { path: 'data', target: join(o.parent, 'storage/data') },
      { path: 'var/lib/db', target: join(o.parent, 'storage/var/lib/db') },
    ];
    for (const { target } of storage) mkdirSync(target, { recursive: true });
    await unpackRelease({ ...o, storage });
    writeFileSync(join(o.directory, 'data/kept'), 'by the first');
    writeFileSync(join(o.directory, 'var/lib/db/kept'), 'too');
    // Nothing is missing, though there is something in it now.
    const { ino } = statSync(o.directory);
    await unpackRelease({ ...o, storage });
    assert.equal(statSync(o.directory).ino, ino);
    const next = { ...o, storage, directory: join(o.parent, 'releases', '2') };
    await unpackRelease(next);
    assert.equal(readFileSync(join(next.directory, 'data/kept'), 'utf8'), 'by the first');
    assert.equal(readFileSync(join(next.directory, 'var/lib/db/kept'), 'utf8'), 'too');
  });

  void test('any tree that passes the rules comes out byte for byte, modes and links included', async (t) => {
    const name = fc.stringMatching(/^[a-c.é -]{1,3}$/u);
    const path = fc.array(name, { minLength: 1, maxLength: 4 }).map((names) => names.join('/'));
    const entry = fc.oneof(
      fc.record({ path, content: fc.uint8Array({ maxLength: 64 }), executable: fc.boolean() }),
      fc.record({
        path,
        target: fc
          .array(fc.oneof(fc.constant('..'), name), { minLength: 1, maxLength: 4 })
          .map((names) => names.join('/')),
      }),
    );
    let trees = 0;
    await fc.assert(
      fc.asyncProperty(fc.array(entry, { maxLength: 12 }), async (entries) => {
        const parent = folder(t);
        const blobs = new FolderBlobs(join(parent, 'blobs'));
        const files: ReleaseFile[] = [];
        const expected: Record<string, string> = {};
        for (const each of entries) {
          const made =
            'content' in each ? file(each.path, each.content, each.executable) : link(each.path, each.target);
          // Those that the rules refuse beside what is there already are left out.
          if (treeProblems([...files, made], 1).length > 0) continue;
          files.push(made);
          if ('content' in each) {
            const digest = await blobs.add(each.content);
            expected[each.path] = `${each.executable ? 'program' : 'file'} ${digest}`;
          } else expected[each.path] = `link ${each.target}`;
        }
        if (files.length > 0) trees += 1;
        const directory = join(parent, 'releases', '7');
        await unpackRelease({ files, storage: [], blobs, directory });
        assert.deepEqual(await treeOf(directory), expected);
        assert.deepEqual(readdirSync(parent).toSorted(), ['blobs', 'releases']);
        assert.deepEqual(readdirSync(join(parent, 'releases')), ['7']);
        rmSync(parent, { recursive: true, force: true });
      }),
      { numRuns: RUNS },
    );
    assert.ok(trees > RUNS / 2);
  });
});
