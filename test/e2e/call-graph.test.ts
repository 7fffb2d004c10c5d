import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { CallGraph } from '../../src/model/calls.ts';
import type { LogEntry } from '../../src/model/log.ts';
import { ask } from './support/admin-api.ts';
import { appFolder } from './support/app-folder.ts';
import { isolatedEnv } from './support/fulcrum-process.ts';
import { dataFolder, ServerProcess } from './support/server-process.ts';

const LEAVES = ['c1', 'c2', 'c3', 'c4', 'c5', 'c6', 'c7'];
const PARTS = ['cart', ...LEAVES, 'pricing', 'stock'];
const SECRET = 'c4rd-4111-1111';

/** Ten components behind one: seven and the cart at once, the cart in turn of two more, one of which fails. */
const CONFIG = `
  import { defineApp } from 'fulcrum';
  export default defineApp({
    name: 'fanned',
    components: {
      web: { entry: './web.ts', routes: ['/*'] },
      ${PARTS.map((name) => `${name}: { entry: './${LEAVES.includes(name) ? 'leaf' : name}.ts', mode: 'service' }`).join(',\n')}
    },
  });`;

const web = (version: string): string => `
  import { use } from 'fulcrum';
  const leaves = ${JSON.stringify(LEAVES)}.map((name) => use<typeof import('./leaf.ts')>(name));
  const cart = use<typeof import('./cart.ts')>('cart');
  export default {
    async fetch(request: Request) {
      const card = new URL(request.url).searchParams.get('card');
      const all = await Promise.all([cart.total(card), ...leaves.map((leaf) => leaf.part(card))]);
      return Response.json(all, { headers: { 'x-version': '${version}' } });
    },
  };`;

const CART = `
  import { use } from 'fulcrum';
  const pricing = use<typeof import('./pricing.ts')>('pricing');
  const stock = use<typeof import('./stock.ts')>('stock');
  export async function total(card: unknown) {
    console.log('the cart looks it up');
    const price = await pricing.priceOf(card);
    await stock.reserve(card).catch(() => undefined);
    return price;
  }`;

test('a request that fans out over ten components has its whole tree in the log, and its calls in the graph', async (t) => {
  const server = await ServerProcess.start(t, { env: isolatedEnv(), data: dataFolder(t) });
  const app = await appFolder(t, {
    'fulcrum.config.ts': CONFIG,
    'web.ts': web('1'),
    'cart.ts': CART,
    'leaf.ts': `export async function part(card: unknown) { return String(card).length; }`,
    'pricing.ts': `export async function priceOf(card: unknown) { return String(card).length; }`,
    'stock.ts': `export async function reserve(card: unknown) { throw new Error('sold out'); }`,
  });
  const deployed = await server.run('deploy', app.path, '--no-typecheck');
  assert.equal(deployed.code, 0, deployed.stdout + deployed.stderr);
  const run = async (...args: readonly string[]): Promise<string> => {
    const done = await server.run(...args, '--app', 'fanned');
    assert.equal(done.code, 0, done.stdout + done.stderr);
    return done.stdout;
  };
  assert.match(await run('ps', '--graph'), /^No component has called another in the last /);

  const answers = await Promise.all(Array.from({ length: 3 }, () => fetch(`${server.url}/?card=${SECRET}`)));
  for (const answer of answers) assert.deepEqual(await answer.json(), Array(8).fill(SECRET.length));
  const requestId = answers[0]!.headers.get('x-request-id')!;

  await t.test('logs --request is the tree', async () => {
    const text = await run('logs', '--request', requestId);
    const [title, titles, root, ...below] = text.trimEnd().split('\n');
    assert.match(title!, / · 10 calls of 10 components$/);
    assert.match(titles!, /^CALL +AT +TOOK +HOW$/);
    assert.match(root!, /^web GET \/ +0ms +\S+ +200/);
    assert.ok(
      below.every((line) => /^[├└│ ]/.test(line)),
      `one root: ${text}`,
    );
    // All eight of the request itself; what the cart called, and what it wrote, below it.
    const names = below.map((line) =>
      /^(\W*)([\w.]+)/.exec(line)!.slice(1).join('').replaceAll(/[├└]─/g, '+-'),
    );
    const ofRoot = names.filter((name) => name.startsWith('+-')).map((name) => name.slice(3));
    assert.deepEqual(ofRoot.toSorted(), [...LEAVES.map((name) => `${name}.part`), 'cart.total']);
    const cartAt = below.findIndex((line) => line.includes('cart.total'));
    const guide = below[cartAt]!.startsWith('├') ? '│  ' : '   ';
    const ofCart = below.slice(cartAt + 1, cartAt + 4);
    assert.ok(
      ofCart.every((line) => line.startsWith(guide)),
      text,
    );
    assert.match(ofCart.join('\n'), /─ cart │ the cart looks it up$/m);
    assert.match(ofCart.join('\n'), /─ pricing\.priceOf +\S+ +\S+ +wire$/m);
    assert.match(ofCart.join('\n'), /─ stock\.reserve +\S+ +\S+ +wire handler-error$/m);
    for (const line of text.split('\n')) assert.ok(Array.from(line).length <= 80, line);
  });

  await t.test('and so are its lines as data, which say nothing of what was passed', async () => {
    const entries = JSON.parse(await run('logs', '--request', requestId, '--json')) as LogEntry[];
    const calls = entries.filter(({ fields }) => fields?.['from'] !== undefined);
    assert.deepEqual(calls.map(({ component }) => component).toSorted(), PARTS.toSorted());
    const root = entries.find(({ fields }) => fields?.['method'] === 'GET')!;
    const cart = calls.find(({ component }) => component === 'cart')!;
    for (const { component, fields } of calls) {
      const parent = ['pricing', 'stock'].includes(component) ? cart : root;
      assert.equal(fields!['parentSpan'], parent.fields!['span'], component);
      assert.equal(fields!['depth'], parent === root ? 1 : 2);
    }
    assert.ok(!JSON.stringify(entries).includes(SECRET));
    const failed = await run('logs', 'stock', '--request', requestId, '--level', 'warn');
    assert.match(failed, /│ cart -> stock\.reserve \d+\.\dms handler-error$/m);
  });

  await t.test('ps --graph has every edge, with how often it was called', async () => {
    const graph = JSON.parse(await run('ps', '--graph', '--window', '1m', '--json')) as CallGraph;
    const edges = graph.edges.map(
      (edge) => `${edge.from} ${edge.to}.${edge.function} ${edge.count} ${edge.failed}`,
    );
    assert.deepEqual(
      edges.toSorted(),
      [
        ...LEAVES.map((name) => `web ${name}.part 3 0`),
        'web cart.total 3 0',
        'cart pricing.priceOf 3 0',
        'cart stock.reserve 3 3',
      ].toSorted(),
    );
    for (const { count, perSecond, inProcess, p50Ms, p99Ms } of graph.edges) {
      assert.equal(perSecond, count / (Math.max(graph.windowMs, 1_000) / 1_000));
      assert.ok(inProcess === 0 && p50Ms > 0 && p99Ms >= p50Ms);
    }
    const { status, body } = await ask(server.env, 'GET', '/apps/fanned/calls?window=1m');
    assert.equal(status, 200);
    assert.equal((body as CallGraph).edges.length, 10);
    const text = await run('ps', '--graph');
    assert.match(text, /^web\n(?:[├└]─ .*\n|[ │] {2}[├└]─ .*\n){10}$/m);
    assert.match(text, /^ {3}[├└]─ pricing$|^│ {2}[├└]─ pricing$/m);
    assert.match(text, /^cart +stock\.reserve +\S+ +\S+ +\S+ +\S+ +3$/m);
  });

  await t.test('the edges of a release before, and of a canary beside it, are summed', async () => {
    await app.write('web.ts', web('2'));
    const canary = await server.run(
      'deploy',
      app.path,
      '--no-typecheck',
      '--canary',
      '50%',
      '--every',
      '10m',
    );
    assert.equal(canary.code, 0, canary.stdout + canary.stderr);
    const seen = new Set<string>();
    let requests = 3;
    // Whoever comes without a cookie is of one or the other by chance.
    while (seen.size < 2) {
      const answer = await fetch(`${server.url}/`);
      assert.equal(answer.status, 200);
      seen.add(answer.headers.get('x-version')!);
      requests++;
    }
    const graph = JSON.parse(await run('ps', '--graph', '--json')) as CallGraph;
    const cart = graph.edges.find(({ from, to }) => from === 'web' && to === 'cart')!;
    assert.equal(cart.count, requests);
  });
});
