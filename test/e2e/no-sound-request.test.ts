import assert from 'node:assert/strict';
import { connect } from 'node:net';
import { test, type TestContext } from 'node:test';
import { startApp, type TestApp } from '../../src/testing/index.ts';
import { appFolder, config } from './support/app-folder.ts';
import { problemOf, startWorker } from './support/both-modes.ts';

test('a request that is no HTTP gets 400, and an unknown route 404', async (t) => {
  const app = await startWorker(t, 'function');
  const unknown = await startAppWithout(t);
  assert.deepEqual(await problemOf(await unknown.fetch('/elsewhere')), [404, 'route-not-found']);
  const { port } = new URL(app.url);
  const answer = await new Promise<string>((resolve, reject) => {
    const socket = connect(Number(port), '127.0.0.1', () => socket.write('NONSENSE\r\n\r\n'));
    let text = '';
    socket.on('data', (piece) => (text += piece.toString()));
    socket.on('end', () => resolve(text));
    socket.on('error', reject);
  });
  assert.match(answer, /^HTTP\/1\.1 400 /);
});

async function startAppWithout(t: TestContext): Promise<TestApp> {
  const folder = await appFolder(t, {
    'fulcrum.config.ts': config(`{ only: { entry: './only.ts', routes: ['/only'] } }`),
    'only.ts': 'export default { fetch: () => new Response("only") };',
  });
  const app = await startApp({ directory: folder.path });
  t.after(() => app.close());
  return app;
}
