import assert from 'node:assert/strict';
import { once } from 'node:events';
import { rmSync } from 'node:fs';
import { connect, createServer, type Socket } from 'node:net';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { adminSocket } from '../e2e/support/admin-api.ts';
import { appFolder } from '../e2e/support/app-folder.ts';
import { fulcrum, isolatedEnv } from '../e2e/support/fulcrum-process.ts';
import { dataFolder, ServerProcess } from '../e2e/support/server-process.ts';

const FILE_BYTES = 3_000_000;
const CUT_AFTER_BYTES = 1_000_000;

/** Stands before the admin API and cuts the connection of every upload in its middle, as long as `cuts`. */
class CuttingProxy {
  readonly path: string;
  cuts = true;
  cut = 0;

  static async start(t: TestContext, path: string, target: string): Promise<CuttingProxy> {
    const proxy = new CuttingProxy(path);
    const sockets = new Set<Socket>();
    const server = createServer((client) => {
      const behind = connect(target);
      for (const socket of [client, behind]) {
        sockets.add(socket);
        socket.on('error', () => undefined).on('close', () => sockets.delete(socket));
      }
      let passed = 0;
      client.on('data', (piece: Buffer) => {
        passed += piece.length;
        behind.write(piece);
        if (!proxy.cuts || passed < CUT_AFTER_BYTES) return;
        proxy.cut++;
        client.destroy();
        behind.destroy();
      });
      client.on('close', () => behind.destroy());
      behind.pipe(client);
    }).listen(path);
    await once(server, 'listening');
    t.after(() => {
      for (const socket of sockets) socket.destroy();
      server.close();
      rmSync(path, { force: true });
    });
    return proxy;
  }

  private constructor(path: string) {
    this.path = path;
  }
}

/** Bytes that no compression makes fewer, the same each time. */
function content(seed: number): string {
  let state = seed;
  let text = '';
  while (text.length < FILE_BYTES) {
    state = (state * 1_103_515_245 + 12_345) % 2_147_483_648;
    text += state.toString(36);
  }
  return text;
}

test('an upload that breaks off in its middle changes nothing: the old release serves, and the next deploy works', async (t) => {
  const env = isolatedEnv();
  const server = await ServerProcess.start(t, { env, data: dataFolder(t) });
  const app = await appFolder(t, {
    'fulcrum.config.ts': `
      import { defineApp } from 'fulcrum';
      export default defineApp({ name: 'large', components: { site: { static: './public', routes: ['/*'] } } });`,
    'public/index.html': 'the first',
  });
  const proxy = await CuttingProxy.start(t, join(env['XDG_RUNTIME_DIR']!, 'cut.sock'), adminSocket(env));
  const deploy = (): ReturnType<typeof fulcrum> =>
    fulcrum({ ...env, FULCRUM_URL: `unix:${proxy.path}` }, ['deploy', app.path, '--no-typecheck']);
  const serves = async (): Promise<string> => await (await fetch(server.url)).text();
  const first = await deploy();
  assert.equal(first.code, 0, first.stdout + first.stderr);

  await app.write('public/index.html', 'the second');
  await app.write('public/large.txt', content(1));
  const broken = await deploy();
  assert.equal(broken.code === 0, false, broken.stdout);
  assert.ok(proxy.cut > 0, 'nothing was cut');
  assert.equal(await serves(), 'the first');

  proxy.cuts = false;
  const again = await deploy();
  assert.equal(again.code, 0, again.stdout + again.stderr);
  assert.equal(await serves(), 'the second');
  assert.equal((await (await fetch(`${server.url}/large.txt`)).text()).length, content(1).length);
});
