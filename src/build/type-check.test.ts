import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import { TestApp } from './testing/test-app.ts';
import { typeCheck } from './type-check.ts';

const TSCONFIG = JSON.stringify({
  compilerOptions: { strict: true, module: 'nodenext', types: [], skipLibCheck: true },
});

function app(t: TestContext, files: Readonly<Record<string, string>>): TestApp {
  const made = new TestApp(t);
  made.write(files);
  return made;
}

test('an app without a tsconfig or without TypeScript of its own is not checked, and it is said why', async (t) => {
  const { signal } = new AbortController();
  const bare = app(t, { 'a.ts': 'const a: string = 1;' });
  assert.deepEqual(await typeCheck(bare.directory, signal), {
    kind: 'skipped',
    why: 'it has no tsconfig.json',
  });
  bare.write({ 'tsconfig.json': TSCONFIG });
  assert.deepEqual(await typeCheck(bare.directory, signal), {
    kind: 'skipped',
    why: 'typescript is not installed in it',
  });
});

test('its own compiler and settings decide', async (t) => {
  const { signal } = new AbortController();
  const made = app(t, {
    'tsconfig.json': TSCONFIG,
    'a.ts': 'export const a: string = "text";',
    'package.json': '{ "type": "module" }',
  });
  made.install('typescript');
  assert.equal((await typeCheck(made.directory, signal)).kind, 'right');
  made.write({ 'a.ts': 'export const a: string = 1;' });
  const wrong = await typeCheck(made.directory, signal);
  assert.ok(wrong.kind === 'wrong');
  assert.match(wrong.output, /^a\.ts\(1,14\): error TS2322/);
});

test('an app whose packages are not installed is not told of each of them', async (t) => {
  const { signal } = new AbortController();
  const made = app(t, {
    'tsconfig.json': TSCONFIG,
    'a.ts': "import { defineApp } from 'fulcrum';\nexport default defineApp({ name: 'a', components: {} });",
    'package.json': '{ "type": "module", "dependencies": { "fulcrum": "1.0.0" } }',
  });
  made.install('typescript');
  assert.deepEqual(await typeCheck(made.directory, signal), {
    kind: 'skipped',
    why: 'its packages are not installed in it',
  });
});

test('it can be interrupted', async (t) => {
  const made = app(t, {
    'tsconfig.json': TSCONFIG,
    'node_modules/typescript/package.json': '{ "version": "1.0.0", "bin": { "tsc": "tsc.js" } }',
    'node_modules/typescript/tsc.js': 'setInterval(() => undefined, 1000);',
  });
  const stopped = new AbortController();
  const checking = typeCheck(made.directory, stopped.signal);
  stopped.abort();
  await assert.rejects(checking, { name: 'AbortError' });
});
