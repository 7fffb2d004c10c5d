import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { connect, createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { suite, test, type TestContext } from 'node:test';
import { fulcrum, isolatedEnv } from './support/fulcrum-process.ts';

const ROOT = join(import.meta.dirname, '../..');

function folder(t: TestContext, files: Readonly<Record<string, string | Buffer>> = {}): string {
  const directory = realpathSync(mkdtempSync(join(tmpdir(), 'fulcrum-deploy-')));
  t.after(() => rmSync(directory, { recursive: true, force: true, maxRetries: 5 }));
  for (const [path, content] of Object.entries(files)) {
    mkdirSync(dirname(join(directory, path)), { recursive: true });
    writeFileSync(join(directory, path), content);
  }
  return directory;
}

interface Served {
  readonly url: string;
  readonly adminPort: number;
  readonly data: string;
}

async function serve(t: TestContext, env: NodeJS.ProcessEnv, args: readonly string[] = []): Promise<Served> {
  const data = folder(t);
  const where = ['--data', data, '--host', '127.0.0.1', '--port', '0', '--admin-port', '0', ...args];
  const child = spawn(process.execPath, [join(ROOT, 'bin/fulcrum.mjs'), 'serve', ...where], {
    env,
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const ended = once(child, 'close');
  t.after(async () => {
    child.kill('SIGTERM');
    await ended;
  });
  const ready = Promise.withResolvers<RegExpExecArray>();
  let said = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    said += text;
    const ports = /serves http:\/\/[^:]+:(\d+).*\nadmin API: http:\/\/[^:]+:(\d+)/.exec(said);
    if (ports !== null) ready.resolve(ports);
  });
  void ended.then(() => ready.reject(new Error(`fulcrum serve ended: ${said}`)));
  const [, port, adminPort] = await ready.promise;
  return { url: `http://127.0.0.1:${port}`, adminPort: Number(adminPort), data };
}

const APP = {
  'fulcrum.config.ts': `import { defineApp, secret } from 'fulcrum';
    export default defineApp({ name: 'small', components: {
      web: { entry: './web.ts', routes: ['/*'], env: { KEY: secret('KEY') } },
      old: { command: 'node server.js', cwd: './old', routes: ['/old/*'], mode: 'service' },
    } });`,
  'web.ts': `
    interface Wanted { readonly path: string }
    function fail({ path }: Wanted): never { throw new TypeError('no ' + path + ' in ' + import.meta.filename); }
    export default { fetch(request: Request): Response {
      const { pathname } = new URL(request.url);
      if (pathname === '/fail') fail({ path: pathname });
      return new Response('web');
    } };`,
  'old/package.json': '{ "dependencies": { "express": "*" } }',
  'old/server.js': `require('express')().get('/old/', (request, response) => response.send('express')).listen(process.env.PORT);`,
  '.env': 'KEY=never-to-be-uploaded\n',
};

void suite('fulcrum deploy, to a server', () => {
  void test('modules and a command with its packages serve; errors name no folder of the server', async (t) => {
    const env = isolatedEnv();
    const server = await serve(t, env);
    const app = folder(t, APP);
    mkdirSync(join(app, 'node_modules'));
    symlinkSync(join(ROOT, 'node_modules/express'), join(app, 'node_modules/express'));

    const missing = await fulcrum(env, ['deploy', app]);
    assert.equal(missing.code, 1, missing.stderr);
    assert.match(
      missing.stderr,
      /error secret-missing:.*KEY, for components\.web\.env\.KEY.*fulcrum secrets set NAME --app small/s,
    );

    const value = join(folder(t, { value: 'set-on-the-server' }), 'value');
    const set = spawn(
      '/bin/sh',
      [
        '-c',
        `exec "$0" "$1" secrets set KEY --app small < "${value}"`,
        process.execPath,
        join(ROOT, 'bin/fulcrum.mjs'),
      ],
      { env, stdio: 'ignore' },
    );
    assert.equal((await once(set, 'close'))[0], 0);
    const deployed = await fulcrum(env, ['deploy', app]);
    assert.equal(deployed.code, 0, deployed.stderr);

    assert.equal(await (await fetch(`${server.url}/`)).text(), 'web');
    assert.equal(await (await fetch(`${server.url}/old/`)).text(), 'express');
    const failed = await fetch(`${server.url}/fail`);
    assert.equal(failed.status, 500);
    assert.ok(!(await failed.text()).includes(server.data));

    const logs = await fulcrum(env, ['logs', 'web', '--app', 'small', '--json']);
    assert.match(
      logs.stdout,
      /TypeError: no \/fail in web\.ts\\n {4}at fail \(web\.ts:3:\d+\)\\n {4}at Object\.fetch \(web\.ts:6:\d+\)/,
    );
    assert.ok(!logs.stdout.includes(server.data), logs.stdout);
  });

  void test('a connection that is cut while files go up is taken up again', async (t) => {
    // Admin requests go through a door that breaks the first two large ones in the middle.
    let admin = 0;
    let cuts = 2;
    const door = createServer((client) => {
      const behind = connect(admin, '127.0.0.1');
      let bytes = 0;
      client.on('data', (piece) => {
        bytes += piece.length;
        if (bytes > 3_000_000 && cuts > 0) {
          cuts -= 1;
          client.destroy();
          behind.destroy();
        } else behind.write(piece);
      });
      behind.on('data', (piece) => client.write(piece));
      for (const [one, other] of [
        [client, behind],
        [behind, client],
      ] as const) {
        one.on('error', () => undefined);
        one.on('close', () => other.destroy());
      }
    }).listen(0, '127.0.0.1');
    await once(door, 'listening');
    t.after(() => door.close());
    const { port } = door.address() as AddressInfo;

    const env = isolatedEnv();
    const server = await serve(t, env, ['--admin-name', `127.0.0.1:${port}`]);
    admin = server.adminPort;
    const made = await fulcrum(env, ['tokens', 'create', '--name', 'ci', '--scope', 'deploy', '--json']);
    assert.equal(made.code, 0, made.stderr);
    const { token } = JSON.parse(made.stdout) as { token: string };

    const files = Object.fromEntries(
      Array.from({ length: 12 }, (_, i) => [`public/${i}.bin`, Buffer.alloc(500_000, `<${i}>`)]),
    );
    const app = folder(t, {
      'fulcrum.config.ts': `export default { name: 'big', components: { files: { static: './public', routes: ['/*'] } } };`,
      ...files,
    });
    const deployed = await fulcrum({ ...env, FULCRUM_TOKEN: token }, [
      'deploy',
      app,
      '--to',
      `http://127.0.0.1:${port}`,
    ]);
    assert.equal(deployed.code, 0, deployed.stderr);
    assert.equal(cuts, 0);
    assert.match(deployed.stderr, /upload .*13 of 13 files, .*begun again 2 times/);
    const answer = await fetch(`${server.url}/11.bin`);
    assert.equal((await answer.bytes()).length, 500_000);
  });
});
