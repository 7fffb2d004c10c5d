import assert from 'node:assert/strict';
import { cpSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { suite, test, type TestContext } from 'node:test';
import { pathToFileURL } from 'node:url';

import { Builder } from './builder.ts';
import { runBundle, TestApp } from './testing/test-app.ts';

function appWithFiles(t: TestContext): TestApp {
  const app = new TestApp(t, 'files');
  app.write({
    'node_modules/esm-with-data/package.json':
      '{ "name": "esm-with-data", "type": "module", "exports": "./lib/index.js" }',
    'node_modules/esm-with-data/lib/index.js': `
      import { readFileSync } from 'node:fs';
      export const esm = readFileSync(new URL('../data.txt', import.meta.url), 'utf8');`,
    'node_modules/esm-with-data/data.txt': 'esm data',
    'node_modules/cjs-with-data/package.json': '{ "name": "cjs-with-data", "main": "lib/index.js" }',
    'node_modules/cjs-with-data/lib/index.js': `
      'use strict';
      const fs = require('fs');
      module.exports = {
        text: fs.readFileSync(__dirname + '/data.txt', 'utf8'),
        resolved: require.resolve('./data.txt'),
        file: __filename,
      };`,
    'node_modules/cjs-with-data/lib/data.txt': 'cjs data',
  });
  return app;
}

function expected(root: string): object {
  const at = (name: string): string => join(root, name);
  return {
    url: 'hello from a file\n',
    dirname: 'hello from a file\n',
    legacy: 'hello from a file\n',
    filename: [at('entry.ts'), at('entry.ts')],
    required: 'json',
    resolved: pathToFileURL(at('data/config.json')).href,
    text: 'import.meta.url and __dirname in a string',
    shadowed: 'mine',
    main: false,
    fromLibrary: { __filename: at('lib/own.ts'), __dirname: at('lib') },
    esm: 'esm data',
    cjs: {
      text: 'cjs data',
      resolved: at('node_modules/cjs-with-data/lib/data.txt'),
      file: at('node_modules/cjs-with-data/lib/index.js'),
    },
    late: at('lib'),
  };
}

void suite('paths of bundled modules', { concurrency: true }, () => {
  void test('lead to where each module was, from the app and from its dependencies', async (t) => {
    const app = appWithFiles(t);
    const bundle = await app.bundle('entry.ts');
    assert.equal(bundle.filesRoot, app.directory);
    assert.deepEqual((await runBundle(bundle.path)).value, expected(app.directory));
  });

  void test('follow the files root that the process is given', async (t) => {
    const app = appWithFiles(t);
    const bundle = await app.bundle('entry.ts');
    const elsewhere = new TestApp(t);
    cpSync(app.directory, elsewhere.directory, { recursive: true });
    rmSync(app.path('data'), { recursive: true });
    assert.deepEqual(
      (await runBundle(bundle.path, elsewhere.directory)).value,
      expected(elsewhere.directory),
    );
  });

  void test('are no part of the bundle: the same app elsewhere gives the same bundle', async (t) => {
    const [here, there] = [appWithFiles(t), appWithFiles(t)];
    const [a, b] = [await here.bundle('entry.ts'), await there.bundle('entry.ts')];
    assert.notEqual(here.directory, there.directory);
    assert.equal(a.digest, b.digest);
  });

  void test('are what computed names of import() and require() count from', async (t) => {
    const app = new TestApp(t);
    app.write({
      'entry.ts': `
        import pick from 'pick';
        import packed from 'packed';
        const name: string = ['b'].join('');
        export default async () => [
          (await import('./parts/' + name + '.ts')).default,
          (await import(\`./parts/\${name}.ts\`)).default,
          (await import(['node', 'path'].join(':'))).sep,
          pick('c'), packed, __dirname,
        ];`,
      'parts/b.ts': `export default 'part b' as string;`,
      'node_modules/pick/package.json': '{ "name": "pick" }',
      'node_modules/pick/index.js': `module.exports = (name) => require('./parts/' + name);`,
      'node_modules/pick/parts/c.js': `module.exports = 'part c';`,
      'node_modules/packed/package.json': '{ "name": "packed" }',
      'node_modules/packed/index.js': `
        module.exports = ((modules) => {
          const load = (name) => ((require) => require(name))((inner) => modules[inner]);
          return load('x' + 1);
        })({ x1: 'packed' });`,
    });
    const { value } = await app.run('entry.ts');
    assert.deepEqual(value, ['part b', 'part b', '/', 'part c', 'packed', app.directory]);
  });

  void test('lead out of the app, to packages installed above it', async (t) => {
    const above = new TestApp(t);
    above.write({
      'node_modules/hoisted/package.json': '{ "name": "hoisted" }',
      'node_modules/hoisted/index.js': `exports.file = __filename;`,
      'apps/shop/entry.ts': `import { file } from 'hoisted'; export default () => file;`,
    });
    const builder = new Builder({
      appDirectory: above.path('apps/shop'),
      outDirectory: above.path('apps/shop/.fulcrum/build'),
      sdkPath: TestApp.sdkPath,
    });
    const bundle = await builder.bundle(above.spec('apps/shop/entry.ts'));
    const { value } = await runBundle(bundle.path);
    assert.equal(value, above.path('node_modules/hoisted/index.js'));
  });
});
