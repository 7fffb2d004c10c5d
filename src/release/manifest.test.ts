import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { FulcrumError } from '../base/errors.ts';
import type { ReleaseFile, ReleaseManifest } from '../model/release.ts';
import { bundleOf } from './bundle-digest.ts';
import { checkManifest } from './manifest.ts';
import { BUNDLE, file, link, manifest, sha256 } from './testing/release.ts';

type Change = (value: ReleaseManifest) => unknown;

/** Adds files to a manifest that is right. */
const files =
  (...more: readonly unknown[]): Change =>
  (value) => ({ ...value, files: [...value.files, ...more] });
const set =
  (changes: object): Change =>
  (value) => ({ ...value, ...changes });
const inFirst =
  (changes: object): Change =>
  (value) => ({ ...value, files: [{ ...value.files[0], ...changes }, ...value.files.slice(1)] });
const inBundle =
  (changes: object): Change =>
  (value) => ({ ...value, bundles: { hello: { ...value.bundles['hello'], ...changes } } });

const deep = (depth: number): string => Array.from({ length: depth }, (_, i) => `d${i}`).join('/');
const nested = (depth: number): unknown => (depth === 0 ? 'x' : { x: nested(depth - 1) });

const HOSTILE: readonly (readonly [string, Change, RegExp])[] = [
  // Shape.
  ['no object', () => 'manifest', /is no object/],
  ['null', () => null, /is no object/],
  ['a list', () => [], /is no object/],
  [
    'another format',
    set({ format: 2 }),
    /format is a format that this server does not know; it knows 1 \(found 2\)/,
  ],
  ['a format as text', set({ format: '1' }), /format .*\(found "1"\)/],
  ['no files', (value) => ({ ...value, files: undefined }), /files is missing/],
  ['files as an object', set({ files: {} }), /files is no list \(found an object\)/],
  ['an unknown key', set({ hooks: ['rm -rf /'] }), /unknown key "hooks"/],
  ['an unknown key of a file', inFirst({ mode: 0o4755 }), /files\[0\]|files.*unknown key "mode"/],
  ['an unknown kind of file', files({ kind: 'device', path: 'tty', major: 5 }), /\[4\]\.kind/],
  ['a file without a path', files({ kind: 'link', target: 'x' }), /\[4\]\.path is missing/],
  ['a path that is a number', inFirst({ path: 7 }), /\[0\]\.path is no text \(found 7\)/],
  ['an app with a bad name', set({ app: '../shop' }), /app is no name.*\(found "\.\.\/shop"\)/],
  [
    'another app than its config’s',
    set({ app: 'other' }),
    /config\.name is "shop"; the manifest is of "other"/,
  ],
  ['an environment with a bad name', set({ environment: 'a@b' }), /environment is no name/],
  ['a version with a line break', set({ fulcrum: '1\n2' }), /fulcrum is no version/],
  [
    'a platform with odd words',
    set({ platform: { os: '../x', arch: 'x64', libc: null } }),
    /platform\.os is no word/,
  ],
  ['a config that is text', set({ config: 'return 1' }), /config is no object/],
  ['a config nested too deep', set({ config: nested(40) }), /config is nested deeper than 32/],
  [
    'a config nested beyond any stack',
    set({ config: JSON.parse('{"x":'.repeat(100_000) + '1' + '}'.repeat(100_000)) }),
    /nested deeper/,
  ],
  ['a config too large', set({ config: { name: 'x'.repeat(1024 ** 2) } }), /config is larger than/],
  ['a config without a name', set({ config: {} }), /config\.name is undefined/],
  // Paths.
  ['the way up', files(file('../evil')), /files\[4\] "\.\.\/evil" has '\.\.' in it/],
  ['the way up in the middle', files(file('a/../../evil')), /has '\.\.' in it/],
  ['the way up at the end', files(file('a/..')), /has '\.\.' in it/],
  ['a dot', files(file('./a')), /has '\.' in it/],
  ['a dot in the middle', files(file('a/./b')), /has '\.' in it/],
  ['an absolute path', files(file('/etc/passwd')), /is absolute/],
  ['a doubled slash', files(file('a//b')), /has an empty name/],
  ['a slash at the end', files(file('a/')), /has an empty name/],
  ['an empty path', files(file('', 'x')), /is empty/],
  ['a backslash', files(file('..\\evil')), /holds a backslash/],
  ['a NUL', files(file('a\0.ts')), /holds a NUL/],
  ['a line break', files(file('a\nb')), /holds a control character/],
  ['an escape sequence', files(file('a\u001B[2J')), /holds a control character/],
  ['a C1 control', files(file('a\u009B2J')), /holds a control character/],
  ['half a surrogate pair', files(file('a\uD800')), /is no valid Unicode/],
  [
    'a path too long',
    files(file(`${'a/'.repeat(20)}${'b/'.repeat(20)}${'long-name/'.repeat(100)}x`)),
    /longer than 1024 bytes/,
  ],
  ['a name too long', files(file('é'.repeat(128))), /a name longer than 255 bytes/],
  ['too many folders', files(file(deep(65))), /deeper than 64 folders/],
  ['the same path twice', files(file('a', '1'), file('a', '2')), /files\[5\] "a" is listed twice/],
  ['the same path as file and link', files(file('a'), link('a', 'b')), /listed twice/],
  ['names that differ in case', files(file('Readme'), file('README')), /differs from "Readme" in the case/],
  [
    'names that differ in how an accent is written',
    files(file('caf\u00e9'), file('cafe\u0301')),
    /in the case of letters only/,
  ],
  ['folders that differ in case', files(file('lib/a'), file('LIB/b')), /a folder that differs from "lib"/],
  [
    'a file where a folder is',
    files(file('a'), file('a/b')),
    /files\[4\] "a" is a file, and a folder of others/,
  ],
  [
    'a file where a folder is, later',
    files(file('a/b/c'), file('a/b')),
    /files\[5\] "a\/b" is a file, and a folder/,
  ],
  [
    'a file where a folder is, in another case',
    files(file('a/b'), file('A')),
    /is a file, and a folder of others/,
  ],
  ['a file below a link', files(link('a', '.'), file('a/b')), /is a link, and a folder of others/],
  [
    'a file deep below a link',
    files(link('a', 'hello.ts'), file('a/b/c/d')),
    /is a link, and a folder of others/,
  ],
  ['the server’s own folder', files(file('.fulcrum/fulcrum.db')), /lies in \.fulcrum/],
  ['the server’s own folder as a file', files(file('.FULCRUM')), /lies in \.fulcrum/],
  ['the server’s own folder as a link', files(link('.Fulcrum', 'x')), /lies in \.fulcrum/],
  ['too deep among the bundles', files(file('.fulcrum/bundles/a/b/c')), /lies in \.fulcrum/],
  ['secrets', files(file('.env')), /\.env file, which holds secrets/],
  ['secrets below', files(file('legacy/.env.production')), /\.env file/],
  ['secrets in capitals', files(file('.ENV.local')), /\.env file/],
  // Links.
  ['a link out', files(link('a', '../etc')), /is a link to "\.\.\/etc", which leads out of the app's folder/],
  ['a link out from below', files(link('a/b', '../../etc')), /leads out/],
  ['a link that goes down and then out', files(link('a', 'b/../../etc')), /has '\.\.' after a name/],
  ['an absolute link', files(link('a', '/etc/passwd')), /is absolute/],
  ['an empty link', files(link('a', '')), /leads nowhere/],
  ['a link with a NUL', files(link('a', 'b\0')), /control character/],
  ['a link with a backslash', files(link('a', '..\\x')), /backslash/],
  ['a link too long', files(link('a', 'b/'.repeat(600) + 'c')), /longer than 1024/],
  ['a link with a dot in it', files(link('a', 'b/./c')), /shortest form/],
  ['a link with a doubled slash', files(link('a', 'b//c')), /shortest form/],
  ['a link with a slash at its end', files(link('a', 'b/')), /shortest form/],
  ['a link to itself', files(link('a', 'a')), /leads in a circle/],
  ['a link into itself', files(link('a', 'a/b')), /leads in a circle/],
  ['two links to each other', files(link('a', 'b'), link('b', 'a')), /leads in a circle/],
  [
    'a chain longer than systems follow',
    files(...Array.from({ length: 60 }, (_, i) => link(`l${i}`, `l${i + 1}`))),
    /leads in a circle/,
  ],
  [
    'a chain of links that leads out',
    files(link('a/in', '..'), link('b', 'a/in/../../etc')),
    /has '\.\.' after a name/,
  ],
  // Digests and sizes.
  ['a digest in capitals', inFirst({ digest: 'A'.repeat(64) }), /digest is no SHA-256/],
  ['a digest too short', inFirst({ digest: 'ab' }), /digest is no SHA-256/],
  ['a digest that is a path', inFirst({ digest: `../${'a'.repeat(61)}` }), /digest is no SHA-256/],
  ['a negative size', inFirst({ sizeBytes: -1 }), /sizeBytes is no number of bytes/],
  ['half a byte', inFirst({ sizeBytes: 0.5 }), /sizeBytes is no number of bytes/],
  ['a size that is no number', inFirst({ sizeBytes: 'big' }), /sizeBytes is no number of bytes/],
  ['a size beyond what counts', inFirst({ sizeBytes: 1e300 }), /sizeBytes/],
  [
    'a size too large',
    files({ ...file('big'), sizeBytes: 300 * 1024 ** 2 }),
    /a release has at most 209,715,200/,
  ],
  [
    'sizes too large together',
    files(...[1, 2, 3].map((n) => ({ ...file(`big${n}`), sizeBytes: 100 * 1024 ** 2 }))),
    /together/,
  ],
  [
    'one digest of two sizes',
    files({ ...file('a', 'x'), sizeBytes: 1 }, { ...file('b', 'x'), sizeBytes: 2 }),
    /is 2, and 1 for the same digest/,
  ],
  [
    'too many files',
    files(...Array.from({ length: 50_001 }, (_, i) => file(`f${i}`, 'x'))),
    /are 50,005; a release has at most 50,000/,
  ],
  // Bundles.
  [
    'a bundle of a bad name',
    set({ bundles: { '../x': { path: BUNDLE, digest: sha256(''), sizeBytes: 0 } } }),
    /is no name of a component/,
  ],
  [
    'a bundle named like a prototype',
    (value) => ({ ...value, bundles: JSON.parse('{"__proto__":{}}') }),
    /is no name of a component/,
  ],
  [
    'a bundle that is not among the files',
    inBundle({ path: '.fulcrum/bundles/hello-0/index.mjs' }),
    /not among the files/,
  ],
  ['a bundle elsewhere', inBundle({ path: 'hello.ts' }), /not \.fulcrum\/bundles\/NAME\/FILE\.mjs/],
  ['a bundle up and elsewhere', inBundle({ path: '.fulcrum/bundles/../x.mjs' }), /not among the files/],
  ['a bundle that is no module', inBundle({ path: `${BUNDLE}.map` }), /not \.fulcrum\/bundles/],
  [
    'a bundle with another digest',
    inBundle({ digest: sha256('other') }),
    /another digest or size than its files/,
  ],
  ['a bundle with another size', inBundle({ sizeBytes: 1 }), /another digest or size/],
  ['a file beside a bundle', files(file(BUNDLE.replace('index', 'more'))), /another digest or size/],
  [
    "a second bundle in another's folder",
    (value) => ({ ...value, bundles: { ...value.bundles, other: value.bundles['hello'] } }),
    /in another bundle's folder/,
  ],
  ['a bundle that nobody has', files(file('.fulcrum/bundles/ghost/index.mjs')), /belongs to none/],
  ['a link in a bundle', files(link(BUNDLE.replace('index', 'more'), 'index.mjs')), /no plain file/],
  ['a program in a bundle', files(file(BUNDLE.replace('index', 'more'), 'x', true)), /no plain file/],
];

void suite('checkManifest', () => {
  void test('takes what is right, and gives it as it was', () => {
    const right = manifest([
      file('public/a b ü.css'),
      file('legacy/run', '#!', true),
      file('empty', ''),
      file('node_modules/.bin-not/x'),
      file('..a/b..'),
      link('node_modules/.bin/tool', '../tool/cli.js'),
      link('node_modules/self', '..'),
      link('up', '.'),
      link('chain', 'up/public'),
      link('dangling', 'not/there'),
    ]);
    assert.deepEqual(checkManifest(structuredClone(right)), right);
  });

  void test('50,000 files are taken', () => {
    const many = Array.from({ length: 49_996 }, (_, i): ReleaseFile =>
      file(`d${i % 100}/f${i}`, String(i % 7)),
    );
    assert.equal(checkManifest(manifest(many)).files.length, 50_000);
  });

  void test('each file is looked at a few times, however many bundles there are', (t) => {
    const right = manifest(Array.from({ length: 2_000 }, (_, i) => file(`.fulcrum/bundles/big/${i}.mjs`)));
    const paths = Array.from({ length: 200 }, (_, i) => `.fulcrum/bundles/b${i}/index.mjs`);
    const all = [...right.files, ...paths.map((path) => file(path))];
    const bundles = Object.fromEntries(paths.map((path, i) => [`b${i}`, bundleOf(path, [file(path)])]));
    const big = { big: bundleOf('.fulcrum/bundles/big/0.mjs', right.files) };
    const value = { ...right, files: all, bundles: { ...right.bundles, ...bundles, ...big } };
    const looks = t.mock.method(String.prototype, 'startsWith');
    checkManifest(value);
    const count = looks.mock.callCount();
    looks.mock.restore();
    assert.ok(count < 10 * all.length, `${count} for ${all.length} files`);
  });

  void test('a chain of links is followed once, however many lead over it', (t) => {
    const chain = Array.from({ length: 39 }, (_, i) => link(`c${i}`, `c${i + 1}`));
    const many = Array.from({ length: 5_000 }, (_, i) => link(`l${i}`, 'c0'));
    const value = manifest([...chain, ...many]);
    const looks = t.mock.method(Map.prototype, 'has');
    checkManifest(value);
    const count = looks.mock.callCount();
    looks.mock.restore();
    assert.ok(count < 10 * value.files.length, `${count} for ${value.files.length} files`);
  });

  void test('a chain as long as the release ends in no overflow, and is a circle to the system', () => {
    const chain = Array.from({ length: 40_000 }, (_, i) => link(`c${i}`, `c${i + 1}`));
    assert.throws(() => checkManifest(manifest(chain)), /c0" is a link that leads in a circle/);
    assert.doesNotThrow(() => checkManifest(manifest(chain.slice(-41))));
    assert.throws(() => checkManifest(manifest(chain.slice(-42))), /leads in a circle/);
  });

  for (const [name, change, expected] of HOSTILE) {
    void test(`refuses ${name}`, () => {
      const value = change(structuredClone(manifest()));
      assert.throws(
        () => checkManifest(value),
        (error) => {
          assert.ok(error instanceof FulcrumError, String(error));
          assert.equal(error.code, 'manifest-invalid');
          assert.match(error.message, expected);
          // It goes to terminals and logs.
          assert.doesNotMatch(error.message.replaceAll('\n', ''), /\p{Cc}/u);
          assert.ok(error.message.length < 5_000);
          return true;
        },
      );
    });
  }

  void test('tells twenty problems at most', () => {
    const bad = Array.from({ length: 5_000 }, (_, i) => file(`../${i}`));
    assert.throws(
      () => checkManifest(manifest(bad)),
      (error) => error instanceof FulcrumError && (error.details['problems'] as unknown[]).length === 20,
    );
  });
});
