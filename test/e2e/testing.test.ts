import assert from 'node:assert/strict';
import { test } from 'node:test';
import { pathToFileURL } from 'node:url';
import { FakeClock, FulcrumError, startApp } from '../../src/testing/index.ts';
import { appFolder, config } from './support/app-folder.ts';

const FILES = {
  'fulcrum.config.ts': config(`{
    counter: { entry: './counter.ts', routes: ['/*'], keepAlive: '10s', env: { KEY: secret('KEY') } },
  }`),
  'counter.ts': `
    let count = 0;
    export async function add(by: number) { return (count += by); }
    export async function key() { return process.env.KEY; }
    export default { fetch: () => new Response(String(++count)) };`,
};

test('an app runs inside a test, with secrets of the test', async (t) => {
  const folder = await appFolder(t, FILES);
  await using app = await startApp({
    directory: pathToFileURL(folder.path),
    secrets: { KEY: 'of the test' },
  });
  assert.equal(await (await app.fetch('/')).text(), '1');
  assert.equal(await app.call('counter', 'add', 2), 3);
  assert.equal(await app.call('counter', 'key'), 'of the test');
  await assert.rejects(app.call('countr', 'add', 1), {
    code: 'not-found',
    message: /Did you mean 'counter'/,
  });
  await app.mode('counter', 'service');
  assert.equal((await app.status())[0]!.mode, 'service');
});

test('a fake clock decides when an instance without work ends', async (t) => {
  const folder = await appFolder(t, FILES);
  const clock = new FakeClock();
  await using app = await startApp({ directory: folder.path, clock, secrets: { KEY: 'x' } });
  assert.equal(await (await app.fetch('/')).text(), '1');
  await clock.advance(9_000);
  assert.equal(await (await app.fetch('/')).text(), '2', 'the same instance, within its keep-alive');
  await clock.advance(11_000);
  assert.equal(await (await app.fetch('/')).text(), '1', 'a new one');
});

test('what is wrong with an app is an error, and nothing is left running', async (t) => {
  const folder = await appFolder(t, { ...FILES, 'counter.ts': 'export default {' });
  await assert.rejects(startApp({ directory: folder.path, secrets: { KEY: 'x' } }), (error: unknown) => {
    assert.ok(error instanceof FulcrumError);
    assert.equal(error.code, 'build-failed');
    assert.match(error.message, /counter\.ts:1/);
    return true;
  });
});
