import assert from 'node:assert/strict';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { request } from 'node:http';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { test, type TestContext } from 'node:test';
import { writeCertificate } from '../../src/gateway/testing/test-certificate.ts';
import { ask } from '../e2e/support/admin-api.ts';
import { appFolder, type AppFolder } from '../e2e/support/app-folder.ts';
import { isolatedEnv } from '../e2e/support/fulcrum-process.ts';
import { dataFolder, ServerProcess } from '../e2e/support/server-process.ts';

/** An app of one service, at a host of its name. */
async function oneService(t: TestContext, name: string, web: string): Promise<AppFolder> {
  const component = `{ entry: './web.ts', routes: ['/*'], mode: 'service', storage: ['./kept'], timeout: '120s' }`;
  return await appFolder(t, {
    'fulcrum.config.ts': `
      import { defineApp } from 'fulcrum';
      export default defineApp({ name: '${name}', components: { web: ${component} } });`,
    'web.ts': web,
  });
}

async function deploy(server: ServerProcess, app: AppFolder, ...args: readonly string[]): Promise<void> {
  const done = await server.run('deploy', app.path, '--no-typecheck', ...args);
  assert.equal(done.code, 0, done.stdout + done.stderr);
}

test('a hand-over that fails leaves the data with the old server: no second one starts on it', async (t) => {
  const [env, data] = [isolatedEnv(), dataFolder(t)];
  const { certPath, keyPath } = await writeCertificate(dataFolder(t), { names: ['shop.test'] });
  const args = ['--tls-port', '0', '--tls-cert', certPath, '--tls-key', keyPath];
  const server = await ServerProcess.start(t, { env, data, args });
  const kept = readFileSync(certPath);
  writeFileSync(certPath, 'no certificate');
  server.signal('SIGHUP');
  await server.prints(/This one goes on as before/);
  const holder = JSON.parse(readFileSync(join(data, 'server.lock'), 'utf8')) as { pid: number };
  assert.equal(holder.pid, server.pid);
  const second = ServerProcess.begin(t, { env, data });
  assert.equal(await second.exited, 1);
  assert.match(second.output, new RegExp(`conflict: Another Fulcrum server \\(pid ${server.pid}\\)`));
  writeFileSync(certPath, kept);
  const restarted = await server.run('restart');
  assert.equal(restarted.code, 0, restarted.stderr);
  assert.equal(await server.exited, 0);
  server.signal('SIGTERM');
});

const SOUND = `
  import { writeFileSync } from 'node:fs';
  export default { fetch(request: Request) {
    if (new URL(request.url).pathname === '/fall-ill') writeFileSync('kept/ill', '');
    return new Response('sound');
  } };`;
const FAILING = `export default { fetch: () => new Response('ill', { status: 500 }) };`;
const MOODY = `
  import { existsSync } from 'node:fs';
  if (existsSync('kept/ill')) throw new Error('feeling ill');
  export default { fetch: () => new Response('moody') };`;
/** Gives a successor something to do. */
const SLOW = `
  await new Promise((resolve) => setTimeout(resolve, 6_000));
  export default { fetch: () => new Response('slow') };`;

interface Canaried {
  readonly app: { readonly serving: number; readonly canary: { readonly release: number } | null };
}

test('a canary is the old server’s until the new one serves: it can go back meanwhile, and is not judged by the new one', async (t) => {
  const [env, data] = [isolatedEnv(), dataFolder(t)];
  const server = await ServerProcess.start(t, { env, data });
  const [app, slow] = await Promise.all([oneService(t, 'app', SOUND), oneService(t, 'slow', SLOW)]);
  await deploy(server, app);
  await deploy(server, slow, '--prefix', '/slow');
  const now = async (): Promise<Canaried['app']> =>
    ((await ask(env, 'GET', '/apps/app')).body as Canaried).app;
  const newest = async (): Promise<{ state: string; failure: { message: string } | null }> =>
    ((await ask(env, 'GET', '/apps/app/releases')).body as never[])[0]!;
  /** Resolves when the successor is being started, from when on changes are held. */
  const restart = async (): Promise<{ isOver: boolean; over: Promise<void> }> => {
    const state = { isOver: false, over: Promise.resolve() };
    state.over = ask(env, 'POST', '/restart').then(({ status, body }) => {
      state.isOver = true;
      assert.equal(status, 202, JSON.stringify(body));
    });
    for (;;) {
      await wait(200);
      const held = await ask(env, 'PUT', '/apps/slow/routing', { hosts: [], prefix: '/slow' });
      if (JSON.stringify(held.body).includes('being restarted')) break;
      assert.ok(!state.isOver, 'it restarted before anything was held');
    }
    return state;
  };
  const canary = ['--canary', '50%', '--every', '600s', '--max-errors', '10%'];

  await app.write('web.ts', FAILING);
  await deploy(server, app, ...canary);
  const first = await restart();
  for (let sent = 0; (await now()).canary !== null; sent++) {
    assert.ok(!first.isOver, 'the canary did not go back before the restart was over');
    if (sent < 200) await fetch(server.url);
    else await wait(50);
  }
  assert.equal(first.isOver, false);
  await first.over;
  assert.deepEqual([(await now()).serving, (await now()).canary], [1, null]);
  assert.match((await newest()).failure!.message, /went back at 50 %: \d+ of \d+ requests failed/);
  for (let i = 0; i < 20; i++) assert.equal((await fetch(server.url)).status, 200);

  await app.write('web.ts', MOODY);
  await deploy(server, app, ...canary);
  await fetch(`${server.url}/fall-ill`);
  while (!existsSync(join(data, 'apps/app/storage/kept/ill'))) await fetch(`${server.url}/fall-ill`);
  const second = await restart();
  const seen: (number | null)[] = [];
  while (!second.isOver) {
    // Asked of the old server: the new one is not found before it serves.
    const state = (await newest()).state;
    if (!second.isOver && server.pids.length < 3) seen.push(state === 'healthy' ? 3 : null);
    await wait(100);
  }
  await second.over;
  assert.ok(seen.length > 10 && seen.every((release) => release === 3), JSON.stringify(seen));
  for (const begun = performance.now(); (await now()).canary !== null; await wait(50))
    assert.ok(performance.now() - begun < 30_000, 'a canary that did not start again stayed');
  assert.match((await newest()).failure!.message, /went back at 50 %: .*feeling ill/);
  assert.equal(await (await fetch(server.url)).text(), 'sound');
});

test('what an old server still runs of stays until it has ended, whatever is deployed meanwhile', async (t) => {
  const [env, data] = [isolatedEnv(), dataFolder(t)];
  const server = await ServerProcess.start(t, { env, data });
  const app = await oneService(
    t,
    'app',
    `export default { async fetch(request: Request) { return new Response('got ' + (await request.text())); } };`,
  );
  await deploy(server, app);
  const answered = Promise.withResolvers<string>();
  const sent = request(server.url, { method: 'POST' }, (answer) => {
    let text = '';
    answer.setEncoding('utf8').on('data', (piece: string) => (text += piece));
    answer.on('end', () => answered.resolve(text));
  });
  sent.on('error', answered.reject);
  sent.write('one ');
  // A body of which too little comes for a while (500 bytes a second, over ten seconds) is given up.
  const more = setInterval(() => sent.write('.'.repeat(1_000)), 500);
  t.after(() => clearInterval(more));
  const running = async (): Promise<number> =>
    ((await ask(env, 'GET', '/apps/app/components')).body as { instances: { inFlight: number }[] }[])
      .flatMap(({ instances }) => instances)
      .reduce((sum, { inFlight }) => sum + inFlight, 0);
  while ((await running()) === 0) await wait(20);
  const restarted = await server.run('restart');
  assert.equal(restarted.code, 0, restarted.stderr);
  // Beyond the five that are kept to go back to.
  for (let i = 0; i < 6; i++) await deploy(server, app);
  const tree = (release: number): string => join(data, 'apps/app/releases', String(release));
  assert.ok(existsSync(tree(1)), 'the tree of what the old server runs is gone');
  assert.ok(!existsSync(tree(2)), 'nothing was tidied up');
  clearInterval(more);
  sent.end(' two');
  assert.match(await answered.promise, /^got one \.* two$/);
  assert.equal(await server.exited, 0);
  await deploy(server, app);
  assert.ok(!existsSync(tree(1)), 'what nobody runs any more was kept');
});
