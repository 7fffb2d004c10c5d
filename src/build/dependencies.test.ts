import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { suite, test } from 'node:test';

import { TestApp } from './testing/test-app.ts';

/** An addon that is present wherever these tests run: the bundler's own. */
const BINDINGS = ['linux-x64-gnu', 'linux-arm64-gnu', 'darwin-arm64', 'darwin-x64'].map(
  (platform) => `@rolldown/binding-${platform}`,
);

function addonFile(): string {
  for (const name of BINDINGS) {
    try {
      const manifest = new URL(`../../node_modules/${name}/package.json`, import.meta.url);
      const { main } = JSON.parse(readFileSync(manifest, 'utf8')) as { main: string };
      return join(manifest.pathname, '..', main);
    } catch {
      continue;
    }
  }
  throw new Error('no addon to test with');
}

void suite('dependencies', { concurrency: true }, () => {
  void test('express, a CommonJS package of many, runs from the bundle alone', async (t) => {
    const app = new TestApp(t);
    app.install('express');
    app.write({
      'web.ts': `
        import express from 'express';
        import type { AddressInfo } from 'node:net';
        const app = express();
        app.use(express.json());
        app.post('/echo', (request, response) => { response.json({ got: request.body }); });
        export default async () => {
          const server = app.listen(0);
          const { port } = server.address() as AddressInfo;
          const answer = await fetch(\`http://127.0.0.1:\${port}/echo\`, { method: 'POST', headers: { 'content-type': 'application/json' }, body: '{"a":1}' });
          const value = await answer.json();
          server.closeAllConnections(); server.close();
          return value;
        };`,
    });
    const { value } = await app.run('web.ts');
    assert.deepEqual(value, { got: { a: 1 } });
  });

  void test('ES module packages: exports, conditions, subpath imports', async (t) => {
    const app = new TestApp(t);
    app.write({
      'node_modules/dual/package.json': JSON.stringify({
        name: 'dual',
        exports: {
          '.': { node: { import: './node.mjs', require: './node.cjs' }, default: './other.mjs' },
          './deep': './deep.mjs',
        },
        imports: { '#inner': './inner.mjs' },
      }),
      'node_modules/dual/node.mjs': `export { inner as from } from '#inner';`,
      'node_modules/dual/node.cjs': `exports.from = 'required';`,
      'node_modules/dual/other.mjs': `export const from = 'other';`,
      'node_modules/dual/deep.mjs': `export default 'deep';`,
      'node_modules/dual/inner.mjs': `export const inner = 'inner';`,
      'node_modules/user/package.json': '{ "name": "user" }',
      'node_modules/user/index.js': `module.exports = require('dual').from;`,
      'entry.ts': `
        import { from } from 'dual';
        import deep from 'dual/deep';
        import required from 'user';
        export default () => ({ from, deep, required });`,
    });
    assert.deepEqual((await app.run('entry.ts')).value, {
      from: 'inner',
      deep: 'deep',
      required: 'required',
    });
  });

  void test('a linked workspace package with TypeScript sources is bundled, and watched', async (t) => {
    const app = new TestApp(t);
    app.write({
      'packages/money/package.json':
        '{ "name": "@shop/money", "type": "module", "exports": "./src/index.ts" }',
      'packages/money/src/index.ts': `enum Unit { Cent = 100 }\nexport const euros = (cents: number): string => (cents / Unit.Cent).toFixed(2);`,
      'entry.ts': `import { euros } from '@shop/money'; export default () => euros(250);`,
    });
    app.link(app.path('packages/money'), 'node_modules/@shop/money');
    assert.equal((await app.run('entry.ts')).value, '2.50');
    const { sources } = await app.bundle('entry.ts');
    assert.deepEqual(
      sources,
      ['entry.ts', 'packages/money/package.json', 'packages/money/src/index.ts'].map((name) =>
        app.path(name),
      ),
    );
  });

  void test('what a dependency only tries to load does not fail the build', async (t) => {
    const app = new TestApp(t);
    app.write({
      'node_modules/careful/package.json': '{ "name": "careful" }',
      'node_modules/careful/index.js': `
        let native = 'pure';
        try { native = require('careful-native'); } catch {}
        exports.kind = native;
        exports.adapter = () => require('careful-adapter');
        exports.plugin = () => import('careful-plugin');`,
      'entry.ts': `
        import * as careful from 'careful';
        const codeOf = (work: () => unknown) => Promise.try(work).then(() => null, (error) => error.code);
        export default async () => [careful.kind, await codeOf(careful.adapter), await codeOf(careful.plugin)];`,
    });
    assert.deepEqual((await app.run('entry.ts')).value, ['pure', 'MODULE_NOT_FOUND', 'ERR_MODULE_NOT_FOUND']);
  });

  void test('fulcrum is always our own sdk', async (t) => {
    const app = new TestApp(t);
    app.write({
      'node_modules/fulcrum/package.json': '{ "name": "fulcrum", "exports": "./index.js" }',
      'node_modules/fulcrum/index.js': `throw new Error('another one');`,
      'entry.ts': `import { secret } from 'fulcrum'; export default () => secret('KEY');`,
    });
    assert.deepEqual((await app.run('entry.ts')).value, { $secret: 'KEY' });
    app.write({
      'entry.ts': `import { outbox } from 'fulcrum/outbox'; export default () => typeof outbox.relay;`,
    });
    assert.deepEqual((await app.run('entry.ts')).value, 'function');
  });

  void test('a package with a real addon stays outside and is found from the bundle', async (t) => {
    const app = new TestApp(t);
    app.link(addonFile(), 'node_modules/native/build/Release/native.node');
    app.write({
      'node_modules/native/package.json': '{ "name": "native", "main": "index.js" }',
      'node_modules/native/index.js': `module.exports = { loaded: typeof require('./build/Release/native.node') };`,
      'entry.ts': `import native from 'native'; export default () => native.loaded;`,
    });
    const bundle = await app.bundle('entry.ts');
    assert.match(readFileSync(bundle.path, 'utf8'), /from "native"/);
    assert.equal((await app.run('entry.ts')).value, 'object');
  });

  void test('a native package that only a dependency can see is named by its path', async (t) => {
    const app = new TestApp(t);
    app.write({
      'node_modules/orm/package.json': '{ "name": "orm" }',
      'node_modules/orm/index.js': `exports.driver = require('driver');`,
      'node_modules/orm/node_modules/driver/package.json': '{ "name": "driver", "gypfile": true }',
      'node_modules/orm/node_modules/driver/index.js': `module.exports = __filename;`,
      'node_modules/driver/package.json': '{ "name": "driver", "version": "1.0.0" }',
      'node_modules/driver/index.js': `module.exports = 'the wrong one';`,
      'entry.ts': `import { driver } from 'orm'; export default () => driver;`,
    });
    assert.equal(
      (await app.run('entry.ts')).value,
      app.path('node_modules/orm/node_modules/driver/index.js'),
    );
  });

  void test('an addon beside the code is loaded from where it lies', async (t) => {
    const app = new TestApp(t);
    app.link(addonFile(), 'native/own.node');
    app.write({
      'entry.ts': `
        import { createRequire } from 'node:module';
        const own = createRequire(import.meta.url)('./native/own.node');
        export default async () => [typeof own, typeof (await import('./native/loader.cjs')).default];`,
      'native/loader.cjs': `module.exports = require('./own.node');`,
    });
    assert.deepEqual((await app.run('entry.ts')).value, ['object', 'object']);
  });
});
