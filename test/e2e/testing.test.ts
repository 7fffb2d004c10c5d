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
    code: 'call-unknown-component',
    message: /Did you mean "counter"/,
  });
  await app.mode('counter', 'service');
  assert.equal((await app.status())[0]!.mode, 'service');
});

test('of two apps in one process, of the same name, the end of one leaves the other as it was', async (t) => {
  const [first, second] = [await appFolder(t, FILES), await appFolder(t, FILES)];
  await using app = await startApp({ directory: first.path, secrets: { KEY: 'k' } });
  await using other = await startApp({ directory: second.path, secrets: { KEY: 'k' } });
  await Promise.all(
    [app, other].map(async (each) => assert.equal(await (await each.fetch('/')).text(), '1')),
  );
  await other.close();
  // In a new process, as a program and as a function.
  await app.mode('counter', 'service');
  assert.equal(await (await app.fetch('/')).text(), '1');
  await app.mode('counter', 'function');
  assert.equal(await app.call('counter', 'key'), 'k');
});

test('a call takes and gives what structured clone can carry, and errors come back whole', async (t) => {
  const folder = await appFolder(t, {
    'fulcrum.config.ts': config(`{ echo: { entry: './echo.ts' } }`),
    'echo.ts': `
      export async function back(value: unknown) { return value; }
      export async function fail() { throw Object.assign(new RangeError('no', { cause: new Error('why') }), { code: 'E_NO' }); }
      export default {};`,
  });
  await using app = await startApp({ directory: folder.path });
  const value = {
    at: new Date(5),
    map: new Map([[1n, new Set(['a'])]]),
    bytes: new Uint8Array([1, 2]),
    none: undefined,
  };
  assert.deepEqual(await app.call('echo', 'back', value), value);
  assert.equal(await app.call('echo', 'back'), undefined);
  await assert.rejects(app.call('echo', 'fail'), (error: Error & { code?: string }) => {
    assert.ok(error instanceof RangeError);
    assert.deepEqual(
      [error.name, error.message, error.code, (error.cause as Error).message],
      ['RangeError', 'no', 'E_NO', 'why'],
    );
    return true;
  });
});

test('a fake clock that stands still keeps no app from closing, whatever is still at work', async (t) => {
  const folder = await appFolder(t, {
    'fulcrum.config.ts': config(
      `{ slow: { entry: './slow.ts', routes: ['/*'] }, lasting: { entry: './slow.ts', mode: 'service' } }`,
    ),
    'slow.ts': 'export default { fetch: () => new Promise(() => undefined) };',
  });
  const app = await startApp({ directory: folder.path, clock: new FakeClock() });
  const pending = app.fetch('/').then(
    (answer) => answer.status,
    () => 'cut',
  );
  while ((await app.status())[0]!.instances[0]?.inFlight !== 1)
    await new Promise((resolve) => setTimeout(resolve, 5));
  await app.close();
  assert.ok([503, 'cut'].includes(await pending));
});

test('a service that does not start fails the start at once, and leaves nothing', async (t) => {
  const folder = await appFolder(t, {
    'fulcrum.config.ts': config(
      `{ good: { entry: './good.ts' }, bad: { entry: './bad.ts', mode: 'service' } }`,
    ),
    'good.ts': 'export default { fetch: () => new Response("good") };',
    'bad.ts': 'throw new Error("not today");',
  });
  await assert.rejects(startApp({ directory: folder.path, clock: new FakeClock() }), {
    code: 'start-failed',
    message: /not today/,
  });
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
