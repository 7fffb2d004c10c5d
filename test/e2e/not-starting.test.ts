import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ask } from './support/admin-api.ts';
import { appFolder } from './support/app-folder.ts';
import { isolatedEnv } from './support/fulcrum-process.ts';
import { dataFolder, ServerProcess } from './support/server-process.ts';

const CONFIG = `
  import { defineApp, secret } from 'fulcrum';
  export default defineApp({
    name: 'kept',
    components: { web: { entry: './web.ts', routes: ['/*'], mode: 'service', env: { WORD: secret('WORD') } } },
  });`;

test('a secret that serves is not removed by accident; an app that lacks one says so wherever it is asked about', async (t) => {
  const [env, data] = [isolatedEnv(), dataFolder(t)];
  let server = await ServerProcess.start(t, { env, data });
  const app = await appFolder(t, {
    'fulcrum.config.ts': CONFIG,
    'web.ts': `export default { fetch: () => new Response('served') };`,
  });
  await ask(env, 'PUT', '/apps/kept/secrets/WORD', { value: 'swordfish' });
  const done = await server.run('deploy', app.path, '--no-typecheck');
  assert.equal(done.code, 0, done.stdout + done.stderr);

  const refused = await server.run('secrets', 'rm', 'WORD', '--app', 'kept');
  assert.equal(refused.code, 1);
  assert.match(refused.stderr, /conflict: What serves of 'kept' needs WORD, for web/);
  const forced = await server.run('secrets', 'rm', 'WORD', '--app', 'kept', '--force');
  assert.equal(forced.code, 0, forced.stderr);
  assert.equal(await (await fetch(server.url)).text(), 'served');

  server.signal('SIGTERM');
  assert.equal(await server.exited, 0);
  server = await ServerProcess.start(t, { env, data });
  assert.equal((await fetch(server.url)).status, 503);
  assert.match(
    (await server.run('apps', 'ls')).stdout,
    /^Not running: kept: A secret has no value: WORD, for components\.web\.env\.WORD/m,
  );
  assert.match((await server.run('ps', '--app', 'kept')).stderr, /Release 1 of 'kept' should serve[^]*WORD/);
  const logs = await server.run('logs', '--app', 'kept');
  assert.equal(logs.code, 0, logs.stderr);
  assert.match(logs.stdout, /kept did not start, and is tried again in 1 s[^]*WORD/);

  await ask(env, 'PUT', '/apps/kept/secrets/WORD', { value: 'swordfish' });
  const again = await server.run('deploy', app.path, '--no-typecheck');
  assert.equal(again.code, 0, again.stdout + again.stderr);
  assert.equal(await (await fetch(server.url)).text(), 'served');
  assert.doesNotMatch((await server.run('apps', 'ls')).stdout, /Not running/);
});

test('what a first deploy that failed has written can be read', async (t) => {
  const server = await ServerProcess.start(t, { env: isolatedEnv(), data: dataFolder(t) });
  const app = await appFolder(t, {
    'fulcrum.config.ts': CONFIG.replace(`secret('WORD')`, `'swordfish'`),
    'web.ts': `console.log('as far as this'); throw new Error('no luck today');`,
  });
  assert.equal((await server.run('deploy', app.path, '--no-typecheck')).code, 1);
  const logs = await server.run('logs', 'web', '--app', 'kept');
  assert.equal(logs.code, 0, logs.stderr);
  assert.match(logs.stdout, /as far as this/);
  assert.match((await server.run('ps', '--app', 'kept')).stderr, /Nothing of 'kept' serves yet/);
});

test('a deploy that the end of the server cuts off is nobody’s fault who deploys', async (t) => {
  const [env, data] = [isolatedEnv(), dataFolder(t)];
  let server = await ServerProcess.start(t, { env, data });
  const app = await appFolder(t, {
    'fulcrum.config.ts': CONFIG.replace(`secret('WORD')`, `'swordfish'`),
    'web.ts': `console.log('is loaded'); await new Promise((resolve) => setTimeout(resolve, 20_000)); export default {};`,
  });
  const deployed = server.run('deploy', app.path, '--no-typecheck');
  const isLoaded = async (): Promise<boolean> => {
    const { status, body } = await ask(env, 'GET', '/apps/kept/logs');
    return status === 200 && JSON.stringify(body).includes('is loaded');
  };
  while (!(await isLoaded()));
  server.signal('SIGTERM');
  const { code, stdout, stderr } = await deployed;
  assert.notEqual(code, 0);
  assert.doesNotMatch(stdout + stderr, /deploy-failed/);
  assert.match(stdout + stderr, /shutting-down|server-unreachable/);
  assert.equal(await server.exited, 0);
  server = await ServerProcess.start(t, { env, data });
  const { body } = await ask(env, 'GET', '/apps/kept/releases/1');
  assert.equal((body as { failure: { code: string } }).failure.code, 'shutting-down');
});
