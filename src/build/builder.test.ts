import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { suite, test } from 'node:test';
import { pathToFileURL } from 'node:url';

import { TraceMap, originalPositionFor } from '@jridgewell/trace-mapping';

import type { Bundle } from '../model/revision.ts';
import { Builder } from './builder.ts';
import { runBundle, TestApp } from './testing/test-app.ts';

void suite('builder', { concurrency: true }, () => {
  void test('puts a bundle into a folder that its content names, and nothing else beside it', async (t) => {
    const app = new TestApp(t);
    app.write({ 'entry.ts': 'export default (): number => 1;' });
    const bundle = await app.bundle('entry.ts');
    assert.equal(bundle.path, app.path(`.fulcrum/build/part-${bundle.digest.slice(0, 12)}/index.mjs`));
    assert.match(bundle.digest, /^[0-9a-f]{64}$/);
    assert.deepEqual(readdirSync(dirname(bundle.path)).sort(), ['index.mjs', 'index.mjs.map']);
    assert.deepEqual(readdirSync(app.path('.fulcrum/build')), [basename(dirname(bundle.path))]);
    assert.equal(bundle.sizeBytes, statSync(bundle.path).size);
  });

  void test('uses what is there again, and writes what has been damaged anew', async (t) => {
    const app = new TestApp(t);
    app.write({ 'entry.ts': 'export default (): number => 1;' });
    const bundle = await app.bundle('entry.ts');
    const before = statSync(bundle.path).ino;
    assert.deepEqual(await app.bundle('entry.ts'), bundle);
    assert.equal(statSync(bundle.path).ino, before);
    rmSync(`${bundle.path}.map`);
    assert.deepEqual(await app.bundle('entry.ts'), bundle);
    assert.ok(existsSync(`${bundle.path}.map`));
    writeFileSync(bundle.path, '');
    await app.bundle('entry.ts');
    assert.equal((await runBundle(bundle.path)).value, 1);
  });

  void test('the same component built at the same time, many times, is one bundle', async (t) => {
    const app = new TestApp(t);
    app.write({ 'entry.ts': 'export default (): number => 1;' });
    const bundles = await Promise.all(Array.from({ length: 8 }, () => app.bundle('entry.ts')));
    assert.equal(new Set(bundles.map(({ path }) => path)).size, 1);
    assert.equal(readdirSync(app.path('.fulcrum/build')).length, 1);
  });

  void test('a moved line is another bundle, so that no error is told at the wrong line', async (t) => {
    const app = new TestApp(t);
    app.write({ 'entry.ts': 'export default (): number => 1;' });
    const before = await app.bundle('entry.ts');
    app.write({ 'entry.ts': '// a comment\nexport default (): number => 1;' });
    const after = await app.bundle('entry.ts');
    assert.equal(readFileSync(after.path, 'utf8'), readFileSync(before.path, 'utf8'));
    assert.notEqual(after.path, before.path);
  });

  void test('the source map leads to the author’s file, through what the bundler and we have rewritten', async (t) => {
    const app = new TestApp(t);
    app.write({
      'entry.ts': `const where = [import.meta.url, __dirname]; enum A { B = 1 }\n\nexport default (): unknown => {\n  const wrong = (): never => { throw new Error(String(where.length + A.B)); };\n  try { return wrong(); } catch (error) { return (error as Error).stack; }\n};`,
    });
    const bundle = await app.bundle('entry.ts');
    const { value } = await runBundle(bundle.path);
    assert.ok(String(value).includes(`${app.path('entry.ts')}:4:38`), String(value));

    const code = readFileSync(bundle.path, 'utf8').split('\n');
    assert.equal(code.at(-1) || code.at(-2), '//# sourceMappingURL=index.mjs.map');
    const line = code.findIndex((text) => text.includes('throw new Error'));
    const map = new TraceMap(
      readFileSync(`${bundle.path}.map`, 'utf8'),
      pathToFileURL(`${bundle.path}.map`).href,
    );
    const found = originalPositionFor(map, { line: line + 1, column: code[line]!.indexOf('throw') });
    assert.equal(found.source, pathToFileURL(app.path('entry.ts')).href);
    assert.equal(found.line, 4);
  });

  void test('names stay, even where two modules use the same one', async (t) => {
    const app = new TestApp(t);
    app.write({
      'entry.ts': `import { load as other } from './other.ts'; function load() {} class Cart {} export default () => [load.name, other.name, Cart.name];`,
      'other.ts': `export function load() {}`,
    });
    assert.deepEqual((await app.run('entry.ts')).value, ['load', 'load', 'Cart']);
  });

  void test('two components share no file', async (t) => {
    const app = new TestApp(t);
    app.write({
      'a.ts': `import { n } from './shared.ts'; export default async () => n() + (await import('./late.ts')).late;`,
      'b.ts': `import { n } from './shared.ts'; export default async () => n() - (await import('./late.ts')).late;`,
      'shared.ts': `export const n = () => 10;`,
      'late.ts': `import { n } from './shared.ts'; export const late = n() / 5;`,
    });
    const a = await app.builder.bundle(app.spec('a.ts', 'a'));
    const b = await app.builder.bundle(app.spec('b.ts', 'b'));
    rmSync(dirname(a.path), { recursive: true });
    assert.equal((await runBundle(b.path)).value, 8);
  });

  void test('sources are the app’s files and what steered the build, not installed packages', async (t) => {
    const app = new TestApp(t);
    app.install('express');
    app.write({
      'package.json': '{ "type": "module" }',
      'tsconfig.json': '{ "extends": "./config/base.json" }',
      'config/base.json': '{ "compilerOptions": { "strict": true } }',
      'src/entry.ts': `import express from 'express'; import type { T } from './types.ts'; import { used } from './used.ts'; export default (): T => [used, typeof express];`,
      'src/types.ts': `export type T = unknown;`,
      'src/used.ts': `export const used = 1;`,
    });
    const { sources } = await app.bundle('src/entry.ts');
    assert.deepEqual(
      sources,
      ['config/base.json', 'package.json', 'src/entry.ts', 'src/used.ts', 'tsconfig.json'].map((name) =>
        app.path(name),
      ),
    );
  });

  void test('prunes what is not kept, save the newest of each component and what is no bundle', async (t) => {
    const app = new TestApp(t);
    const versions = [];
    for (const n of [1, 2, 3]) {
      app.write({ 'entry.ts': `export default () => ${n};` });
      versions.push(await app.bundle('entry.ts'));
    }
    app.write({ '.fulcrum/build/notes.txt': 'mine', '.fulcrum/build/.draft-999999999-abc/index.mjs': '' });
    app.write({ [`.fulcrum/build/.draft-${process.pid}-abc/index.mjs`]: '' });
    await app.builder.prune(new Set([versions[0]!.path]));
    assert.deepEqual(
      versions.map(({ path }) => existsSync(path)),
      [true, false, true],
    );
    assert.deepEqual(
      readdirSync(app.path('.fulcrum/build'))
        .filter((name) => !name.startsWith('part-'))
        .sort(),
      [`.draft-${process.pid}-abc`, 'notes.txt'],
    );
  });

  void test('an entry in CommonJS has its exports in `default`', async (t) => {
    const app = new TestApp(t);
    app.write({
      'handler.cjs': `
        'use strict';
        if (require.main === module) throw new Error('a component is not the main module');
        module.exports = () => 'called';
        module.exports.handler = async () => ({ statusCode: 200 });`,
    });
    assert.deepEqual(await app.run('handler.cjs'), { exports: ['default'], value: 'called' });
  });

  void test('an app that is reached by a link is built as if by its own name', async (t) => {
    const [real, linked] = [new TestApp(t), new TestApp(t)];
    real.write({
      'entry.ts': `import { n } from './lib/n.ts'; export default () => [n, __dirname];`,
      'lib/n.ts': `export const n = 1;`,
    });
    linked.link(real.directory, 'app');
    const builder = new Builder({
      appDirectory: linked.path('app'),
      outDirectory: linked.path('app/.fulcrum/build'),
      sdkPath: TestApp.sdkPath,
    });
    const bundle = await builder.bundle(linked.spec('app/entry.ts'));
    assert.equal(bundle.digest, (await real.bundle('entry.ts')).digest);
    assert.deepEqual((await runBundle(bundle.path, bundle.filesRoot)).value, [1, real.directory]);
    assert.deepEqual(bundle.sources, [real.path('entry.ts'), real.path('lib/n.ts')]);
  });

  void test('a closed builder takes no more work', async (t) => {
    const app = new TestApp(t);
    app.write({ 'entry.ts': 'export default 1;' });
    let built: Bundle | null = null;
    const begun = app.bundle('entry.ts').then((bundle) => (built = bundle));
    await app.builder.close();
    assert.notEqual(built, null, 'what was begun is over');
    assert.ok(existsSync((await begun).path));
    await assert.rejects(app.bundle('entry.ts'), { code: 'shutting-down' });
  });

  void test('no name leads out of the folder', async (t) => {
    const app = new TestApp(t);
    app.write({ 'entry.ts': 'export default 1;' });
    const { path } = await app.builder.bundle(app.spec('entry.ts', '../../up'));
    assert.equal(dirname(dirname(path)), join(app.directory, '.fulcrum', 'build'));
  });
});
