import assert from 'node:assert/strict';
import { suite, test } from 'node:test';

import { isNativePackage, packageDirectoryOf } from './native-package.ts';
import { TestApp } from './testing/test-app.ts';

void suite('native packages', () => {
  const NATIVE: Record<string, Record<string, string>> = {
    'built by node-gyp': { 'package.json': '{}', 'binding.gyp': '' },
    'marked by its registry entry': { 'package.json': '{ "gypfile": true }' },
    'with prebuilds': { 'package.json': '{}', 'prebuilds/linux-x64/node.napi.node': '' },
    'that is an addon': { 'package.json': '{ "main": "./addon.linux-x64-gnu.node" }' },
    'with an addon beside its code': { 'package.json': '{}', 'index.js': '', 'addon.node': '' },
    'with a built addon': { 'package.json': '{}', 'build/Release/addon.node': '' },
    'made with napi-rs': { 'package.json': '{ "napi": { "binaryName": "argon2" } }' },
    'downloaded by node-pre-gyp': { 'package.json': '{ "binary": { "module_name": "bcrypt" } }' },
    'with one package per platform': {
      'package.json':
        '{ "optionalDependencies": { "@img/sharp-linux-x64": "1", "@img/sharp-darwin-arm64": "1" } }',
    },
    'with a loader of addons': { 'package.json': '{ "dependencies": { "node-gyp-build": "4" } }' },
  };
  for (const [what, files] of Object.entries(NATIVE)) {
    void test(`a package ${what} is native`, (t) => {
      const app = new TestApp(t);
      app.write(files);
      assert.equal(isNativePackage(app.directory), true);
    });
  }

  void test('ordinary packages are not', (t) => {
    const app = new TestApp(t);
    app.write({
      'plain/package.json':
        '{ "main": "index.js", "dependencies": { "ms": "2" }, "optionalDependencies": { "fsevents": "2", "node-domexception": "1" } }',
      'broken/package.json': '{ "main": ',
      'none/index.js': '',
    });
    for (const name of ['plain', 'broken', 'none'])
      assert.equal(isNativePackage(app.path(name)), false, name);
  });

  void test('the folder of a package is the nearest with a name', (t) => {
    const app = new TestApp(t);
    app.write({
      'node_modules/dual/package.json': '{ "name": "dual" }',
      'node_modules/dual/dist/esm/package.json': '{ "type": "module" }',
    });
    assert.equal(
      packageDirectoryOf(app.path('node_modules/dual/dist/esm/lib')),
      app.path('node_modules/dual'),
    );
  });
});
