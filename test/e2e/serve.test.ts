import assert from 'node:assert/strict';
import { readdirSync, rmSync, writeFileSync } from 'node:fs';
import { request } from 'node:http';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { test, type TestContext } from 'node:test';
import { systemClock } from '../../src/base/clock.ts';
import { silentLogger } from '../../src/base/log.ts';
import { STORE_FILE } from '../../src/server/places.ts';
import { openStore } from '../../src/store/open-store.ts';
import { ask } from './support/admin-api.ts';
import { appFolder, type AppFolder } from './support/app-folder.ts';
import { fulcrum, isolatedEnv, type Finished } from './support/fulcrum-process.ts';
import { dataFolder, ServerProcess } from './support/server-process.ts';

/** An app whose components are called as every other app's here are. */
function app(t: TestContext, name: string, says: string): Promise<AppFolder> {
  return appFolder(t, {
    'fulcrum.config.ts': `
      import { defineApp } from 'fulcrum';
      export default defineApp({
        name: '${name}',
        components: {
          web: { entry: './web.ts', routes: ['/*'], mode: 'service' },
          words: { entry: './words.ts', mode: 'function', storage: ['./kept'] },
          files: { static: './public', routes: ['/files/*'] },
        },
      });`,
    'web.ts': `
      import { use } from 'fulcrum';
      const words = use<typeof import('./words.ts')>('words');
      export default {
        async fetch(request: Request) {
          const { pathname } = new URL(request.url);
          console.log('asked for', pathname);
          return new Response((await words.say(pathname)) + ' in ' + process.env.FULCRUM_ENVIRONMENT);
        },
      };`,
    'words.ts': `
      import { appendFileSync, readFileSync } from 'node:fs';
      export function say(word: string): string {
        appendFileSync('kept/words', '${says};');
        return '${says} ' + word + ' ' + readFileSync('kept/words', 'utf8');
      }`,
    'public/hello.txt': `hello from ${says}`,
  });
}

function get(url: string, host: string): Promise<{ status: number; text: string }> {
  return new Promise((resolve, reject) => {
    request(url, { headers: { host } }, (answer) => {
      let text = '';
      answer.setEncoding('utf8').on('data', (piece: string) => (text += piece));
      answer.on('end', () => resolve({ status: answer.statusCode!, text }));
    })
      .on('error', reject)
      .end();
  });
}

async function deploy(server: ServerProcess, folder: AppFolder, ...args: readonly string[]): Promise<void> {
  const done = await server.run('deploy', folder.path, '--no-typecheck', ...args);
  assert.equal(done.code, 0, done.stdout + done.stderr);
}

test('apps whose components have the same names share nothing: instances, calls, storage, logs, usage', async (t) => {
  const server = await ServerProcess.start(t, { env: isolatedEnv(), data: dataFolder(t) });
  const [one, two] = await Promise.all([app(t, 'one', 'uno'), app(t, 'two', 'dos')]);
  await deploy(server, one, '--host', 'one.test');
  await deploy(server, two, '--host', 'two.test', '--prefix', '/below');
  await deploy(server, two, '--host', 'staging.two.test', '--environment', 'staging');
  const ask1 = (): Promise<{ text: string }> => get(`${server.url}/a`, 'one.test');
  assert.equal((await ask1()).text, 'uno /a uno; in production');
  assert.equal((await get(`${server.url}/below/a`, 'two.test')).text, 'dos /a dos; in production');
  assert.equal((await get(`${server.url}/a`, 'staging.two.test')).text, 'dos /a dos; in staging');
  assert.equal((await ask1()).text, 'uno /a uno;uno; in production');
  assert.equal((await get(`${server.url}/below/files/hello.txt`, 'two.test')).text, 'hello from dos');
  assert.equal((await get(`${server.url}/a`, 'two.test')).status, 404);
  assert.equal((await get(`${server.url}/a`, 'nobody.test')).status, 404);

  const logs = (await ask(server.env, 'GET', '/apps/one/logs?component=web')).body as { app: string }[];
  assert.ok(logs.length > 0 && logs.every((entry) => entry.app === 'one'));
  const components = (await ask(server.env, 'GET', '/apps/two/components')).body as {
    name: string;
    lastMinute: { count: number } | null;
  }[];
  assert.equal(components.find(({ name }) => name === 'web')!.lastMinute!.count, 1);

  const claimed = await server.run(
    'deploy',
    one.path,
    '--no-typecheck',
    '--environment',
    'other',
    '--host',
    'one.test',
  );
  assert.equal(claimed.code, 1);
  assert.match(claimed.stderr, /conflict: The app one answers for one\.test already/);

  const removed = await ask(server.env, 'DELETE', '/apps/two');
  assert.equal(removed.status, 200, JSON.stringify(removed.body));
  assert.equal((await get(`${server.url}/below/a`, 'two.test')).status, 404);
  assert.equal((await get(`${server.url}/a`, 'staging.two.test')).status, 200);
});

test('a restart brings up what served, with its modes; an app that does not start is tried again while the others serve', async (t) => {
  const [env, data] = [isolatedEnv(), dataFolder(t)];
  let server = await ServerProcess.start(t, { env, data });
  const [one, two] = await Promise.all([app(t, 'one', 'uno'), app(t, 'two', 'dos')]);
  await deploy(server, one, '--host', 'one.test');
  await deploy(server, two, '--host', 'two.test');
  const switched = await server.run('mode', 'web', 'function', '--force', '--app', 'one');
  assert.equal(switched.code, 0, switched.stderr);
  server.signal('SIGTERM');
  assert.equal(await server.exited, 0, server.output);
  assert.deepEqual(readdirSync(join(env['XDG_RUNTIME_DIR']!, 'fulcrum')), []);

  // Its tree is made anew; the other's cannot be, for a file is where its folder should be.
  rmSync(join(data, 'apps/one/releases'), { recursive: true });
  rmSync(join(data, 'apps/two/releases'), { recursive: true });
  writeFileSync(join(data, 'apps/two/releases'), '');
  server = await ServerProcess.start(t, { env, data });
  assert.match(server.output, /two did not start, and is tried again in 1 s/);
  assert.match((await get(`${server.url}/a`, 'one.test')).text, /^uno \/a/);
  const waits = await get(`${server.url}/a`, 'two.test');
  assert.equal(waits.status, 503);
  assert.match(waits.text, /app-starting/);
  const components = (await ask(env, 'GET', '/apps/one/components')).body as { name: string; mode: string }[];
  assert.equal(components.find(({ name }) => name === 'web')!.mode, 'function');

  rmSync(join(data, 'apps/two/releases'));
  for (const begun = performance.now(); ; await wait(100)) {
    const { status, text } = await get(`${server.url}/a`, 'two.test');
    if (status === 200) {
      assert.match(text, /^dos \/a dos;/);
      break;
    }
    assert.ok(performance.now() - begun < 30_000, `${status} ${text}`);
  }
});

test('a token that may deploy one app moves it nowhere, and puts a new one onto no host of another', async (t) => {
  const env = isolatedEnv();
  const server = await ServerProcess.start(t, { env, data: dataFolder(t) });
  const [shop, b] = await Promise.all([app(t, 'shop', 'shop'), app(t, 'app-b', 'b')]);
  await deploy(server, shop, '--host', 'shop.example.com');
  const made = await server.run(
    'tokens',
    'create',
    '--name',
    'ci',
    '--scope',
    'deploy',
    '--app',
    'app-b',
    '--json',
  );
  const { token } = JSON.parse(made.stdout) as { token: string };
  const url = /admin API: (http\S+);/.exec(server.output)![1]!;
  const asToken = (...args: readonly string[]): Promise<Finished> =>
    fulcrum({ ...env, FULCRUM_TOKEN: token, FULCRUM_URL: url }, [
      'deploy',
      b.path,
      '--no-typecheck',
      ...args,
    ]);
  const login = ['--host', 'shop.example.com', '--prefix', '/login'];
  const steals = async (says: RegExp, ...args: readonly string[]): Promise<void> => {
    const done = await asToken(...args);
    assert.equal(done.code, 1, done.stdout);
    assert.match(done.stderr, says);
    assert.match((await get(`${server.url}/login`, 'shop.example.com')).text, /^shop \/login/);
  };
  await steals(/forbidden: app-b is new, and another app answers for shop\.example\.com/, ...login);
  await steals(/forbidden: app-b is new/, '--host', '*.example.com', '--prefix', '/login');
  const own = ['--host', 'b.example.com'];
  for (let i = 0; i < 2; i++) assert.equal((await asToken(...own)).code, 0);
  await steals(/forbidden: app-b exists/, ...login);
  assert.equal((await asToken()).code, 0);
  assert.match((await get(`${server.url}/a`, 'b.example.com')).text, /^b \/a/);

  // Who may decide that does, and it is written down.
  await deploy(server, b, ...login);
  assert.match((await get(`${server.url}/login/a`, 'shop.example.com')).text, /^b \/a/);
  const entries = (await ask(env, 'GET', '/apps/app-b/audit?limit=10')).body as {
    action: string;
    outcome: string;
    details: { hosts: string[] | null; prefix: string | null };
  }[];
  const tries = entries.filter(
    ({ action, details }) => action === 'deploy' && details.hosts?.[0] === 'shop.example.com',
  );
  assert.deepEqual(
    tries.map(({ outcome, details }) => [outcome, details.prefix]),
    [
      ['ok', '/login'],
      ['failed', '/login'],
      ['failed', '/login'],
    ],
  );
});

test('of many that claim one host at once one has it, and the server starts again', async (t) => {
  const [env, data] = [isolatedEnv(), dataFolder(t)];
  let server = await ServerProcess.start(t, { env, data });
  const [one, two] = await Promise.all([app(t, 'one', 'uno'), app(t, 'two', 'dos')]);
  await deploy(server, one, '--host', 'one.test');
  await deploy(server, two, '--host', 'two.test');
  for (let round = 0; round < 5; round++) {
    const routing = { hosts: [`${round}.test`], prefix: '' };
    const answers = await Promise.all(
      ['one', 'two'].map((id) => ask(env, 'PUT', `/apps/${id}/routing`, routing)),
    );
    assert.deepEqual(
      answers.map(({ status }) => status).toSorted((a, b) => a - b),
      [200, 409],
    );
    const apps = (await ask(env, 'GET', '/apps')).body as { hosts: string[] }[];
    assert.equal(new Set(apps.flatMap(({ hosts }) => hosts)).size, 2, JSON.stringify(apps));
  }
  const claimed = await get(`${server.url}/a`, '4.test');
  server.signal('SIGTERM');
  assert.equal(await server.exited, 0, server.output);

  // As a server may have left it that let two have one place: the first is served, the other is told of, until one of them is moved.
  const path = join(data, STORE_FILE);
  const store = await openStore({ databaseUrl: null, path, clock: systemClock, logger: silentLogger });
  for (const id of ['one', 'two']) {
    const { version } = (await store.apps.get(id))!;
    await store.apps.update(id, version, { hosts: ['both.test'], prefix: '' });
  }
  await store.close();
  server = await ServerProcess.start(t, { env, data });
  assert.match(
    server.output,
    /two did not start, and is tried again in 1 s: conflict: .*both claim both\.test/,
  );
  assert.match((await get(`${server.url}/a`, 'both.test')).text, /^uno/);
  // Refused while the server is just trying to start it again.
  for (const begun = performance.now(); ; await wait(50)) {
    const moved = await ask(env, 'PUT', '/apps/two/routing', { hosts: ['two.test'], prefix: '' });
    if (moved.status === 200) break;
    assert.ok(moved.status === 409 && performance.now() - begun < 30_000, JSON.stringify(moved.body));
  }
  for (const begun = performance.now(); ; await wait(100)) {
    const { status, text } = await get(`${server.url}/a`, 'two.test');
    if (status === 200) {
      assert.match(text, /^dos/);
      break;
    }
    assert.ok(performance.now() - begun < 30_000, `${status} ${text}`);
  }
  assert.equal(claimed.status, 200);
});

test('units can be looked at before they are written', async (t) => {
  const env = isolatedEnv();
  const server = await ServerProcess.start(t, { env, data: dataFolder(t) });
  const shown = await server.run(
    'serve',
    '--data',
    '/var/lib/x',
    '--install',
    '--dry-run',
    '--socket-activation',
    '--port',
    '80',
  );
  assert.equal(shown.code, 0, shown.stderr);
  assert.match(shown.stdout, /ExecStart=.* serve --data \/var\/lib\/x .*--port 80/);
  assert.match(shown.stdout, /ListenStream=80/);
});
