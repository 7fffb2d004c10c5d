import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { CallGraph } from '../../src/model/calls.ts';
import type { LogEntry } from '../../src/model/log.ts';
import { appFolder } from './support/app-folder.ts';
import { isolatedEnv } from './support/fulcrum-process.ts';
import { dataFolder, ServerProcess } from './support/server-process.ts';

const FILES = {
  'fulcrum.config.ts': `
    import { defineApp } from 'fulcrum';
    export default defineApp({
      name: 'joined',
      groups: { core: ['cart', 'pricing'] },
      components: {
        web: { entry: './web.ts', routes: ['/*'] },
        cart: { entry: './cart.ts' },
        pricing: { entry: './pricing.ts' },
      },
    });`,
  'web.ts': `
    import { use } from 'fulcrum';
    const cart = use<typeof import('./cart.ts')>('cart');
    export default { async fetch() { return Response.json(await cart.total()); } };`,
  'cart.ts': `
    import { use } from 'fulcrum';
    const pricing = use<typeof import('./pricing.ts')>('pricing');
    export async function total() {
      await pricing.fails().catch(() => undefined);
      return await pricing.priceOf('A-1');
    }`,
  'pricing.ts': `
    export async function priceOf(sku: string) { console.log('looks it up'); return sku.length; }
    export async function fails() { throw new Error('out of luck'); }`,
};

test('calls within a group are in the tree and in the graph as those between processes are', async (t) => {
  const server = await ServerProcess.start(t, { env: isolatedEnv(), data: dataFolder(t) });
  const app = await appFolder(t, FILES);
  const run = async (...args: readonly string[]): Promise<string> => {
    const done = await server.run(...args);
    assert.equal(done.code, 0, done.stdout + done.stderr);
    return done.stdout;
  };
  await run('deploy', app.path, '--no-typecheck');
  const answer = await fetch(server.url);
  assert.equal(await answer.json(), 3);
  const requestId = answer.headers.get('x-request-id')!;

  const text = await run('logs', '--request', requestId);
  const lines = text.trimEnd().split('\n');
  assert.match(lines[2]!, /^web GET \/ .* 200/);
  assert.match(lines[3]!, /^└─ cart\.total .* wire$/);
  assert.match(text, /^ {3}[├└]─ pricing\.priceOf .* in-process$/m);
  assert.match(text, /^ {3}[├└]─ pricing\.fails .* in-process handler-error$/m);
  assert.match(text, /^ {3}.*[├└]─ pricing │ looks it up$/m);
  const entries = JSON.parse(await run('logs', '--request', requestId, '--json')) as LogEntry[];
  const failed = entries.find(({ fields }) => fields?.['function'] === 'fails')!;
  assert.deepEqual(
    [failed.level, failed.fields!['code'], failed.fields!['depth']],
    ['warn', 'handler-error', 2],
  );

  const { edges } = JSON.parse(await run('ps', '--graph', '--json')) as CallGraph;
  assert.deepEqual(
    edges
      .map(({ from, to, function: name, count, failed, inProcess }) =>
        [`${from} ${to}.${name}`, count, failed, inProcess].join(' '),
      )
      .toSorted(),
    ['cart pricing.fails 1 1 1', 'cart pricing.priceOf 1 0 1', 'web cart.total 1 0 0'],
  );
  assert.match(await run('ps', '--graph'), /^cart +pricing\.priceOf .* 100%$/m);
});
