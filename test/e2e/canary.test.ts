import assert from 'node:assert/strict';
import { setTimeout as wait } from 'node:timers/promises';
import { test } from 'node:test';
import { ask } from './support/admin-api.ts';
import { appFolder } from './support/app-folder.ts';
import { isolatedEnv } from './support/fulcrum-process.ts';
import { dataFolder, ServerProcess } from './support/server-process.ts';

const web = (version: string): string =>
  `export default { fetch: (request: Request) => new Response('version ' + '${version}') };`;
const FAILING = `export default { fetch: () => { throw new Error('out of luck'); } };`;

interface Asked {
  readonly status: number;
  readonly text: string;
  /** What a browser would send back. */
  readonly cookie: string | null;
}

async function get(url: string, cookie: string | null = null): Promise<Asked> {
  const answer = await fetch(url, cookie === null ? {} : { headers: { cookie } });
  const set = answer.headers.getSetCookie()[0]?.split(';')[0] ?? null;
  return { status: answer.status, text: await answer.text(), cookie: set };
}

test('a canary keeps its clients, takes its steps by itself, and goes back by itself when its requests fail', async (t) => {
  const server = await ServerProcess.start(t, { env: isolatedEnv(), data: dataFolder(t) });
  const app = await appFolder(t, {
    'fulcrum.config.ts': `
      import { defineApp } from 'fulcrum';
      export default defineApp({
        name: 'tried',
        components: { web: { entry: './web.ts', routes: ['/*'], mode: 'service' } },
      });`,
    'web.ts': web('1'),
  });
  const deploy = async (...args: readonly string[]): Promise<void> => {
    const done = await server.run('deploy', app.path, '--no-typecheck', ...args);
    assert.equal(done.code, 0, done.stdout + done.stderr);
  };
  const record = async (): Promise<{ serving: number; canary: unknown }> =>
    ((await ask(server.env, 'GET', '/apps/tried')).body as { app: { serving: number; canary: unknown } }).app;
  const until = async (holds: () => Promise<boolean>): Promise<void> => {
    for (const begun = performance.now(); !(await holds()); await wait(20))
      assert.ok(performance.now() - begun < 30_000, JSON.stringify(await record()));
  };
  await deploy();
  assert.equal((await get(server.url)).cookie, null, 'without a canary nobody is told apart');

  await app.write('web.ts', web('2'));
  await deploy('--canary', '50%', '--every', '8s');
  const clients: Asked[] = [];
  await until(async () => {
    clients.push(await get(server.url));
    return new Set(clients.map(({ text }) => text)).size === 2;
  });
  for (const { text, cookie } of clients.slice(-10)) {
    assert.ok(cookie !== null);
    for (let i = 0; i < 5; i++) assert.equal((await get(server.url, cookie)).text, text);
  }
  assert.notEqual((await record()).canary, null, 'the canary ended before its clients were asked again');
  await until(async () => (await record()).serving === 2);
  for (const { cookie } of clients.slice(-10))
    assert.equal((await get(server.url, cookie)).text, 'version 2');

  await app.write('web.ts', FAILING);
  await deploy('--canary', '50%', '--every', '60s', '--max-errors', '10%');
  let failed = 0;
  await until(async () => {
    if ((await get(server.url)).status === 500) failed++;
    return (await record()).canary === null;
  });
  assert.ok(failed > 0);
  assert.equal((await record()).serving, 2);
  for (const { cookie } of clients.slice(-10))
    assert.equal((await get(server.url, cookie)).text, 'version 2');
});
