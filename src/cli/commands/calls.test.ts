import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { callEdge, type FakePort } from '../../control/fixtures/fake-port.ts';
import { call, line, request } from '../fixtures/request-entries.ts';
import { World } from '../fixtures/run-cli.ts';

function linesOf(text: string): string[] {
  return text.split('\n').slice(0, -1);
}

describe('the calls of a running app', () => {
  let world: World;
  let port: FakePort;

  before(async () => {
    world = await World.make();
    ({ port } = await world.serve('shop'));
  });
  after(() => world.end());

  test('ps --graph shows who calls whom, as a drawing and with numbers', async () => {
    port.graph = {
      windowMs: 312_000,
      edges: [
        callEdge({ count: 120_000, perSecond: 384.6, failed: 0 }),
        callEdge({ from: 'catalog', to: 'pricing', function: 'priceOf', inProcess: 599, p50Ms: 0.004 }),
      ],
    };
    const ran = await world.run(['ps', '--graph', '--window', '90s']);
    assert.equal(ran.code, 0, ran.stderr);
    assert.deepEqual(linesOf(ran.stdout), [
      'calls of the last 5m, as this server has measured them',
      '',
      'storefront',
      '└─ catalog',
      '   └─ pricing',
      '',
      'FROM        TO               CALLS/S    P50    P95    P99  FAILED  IN PROCESS',
      'storefront  catalog.priceOf      385  1.2ms  4.5ms  148ms       0           -',
      'catalog     pricing.priceOf        2    4µs  4.5ms  148ms       3        >99%',
    ]);
    assert.deepEqual(port.windowsMs, [90_000]);
    const json = await world.run(['ps', '--graph', '--json']);
    assert.deepEqual(JSON.parse(json.stdout), port.graph);
    port.graph = { windowMs: 41_000, edges: [] };
    const none = await world.run(['ps', '--graph']);
    assert.equal(none.stdout, 'No component has called another in the last 41s.\n');
  });

  test('ps --graph says what it does not take', async () => {
    const before = port.windowsMs.length;
    for (const [args, expected] of [
      [['ps', '--window', '5m'], /--window is of the call graph/],
      [['ps', 'catalog', '--graph'], /leave 'catalog' out/],
      [['ps', '--graph', '--window', '2h'], /from 1s to 60m, such as 5m or 1m30s; '2h' is none/],
      [['ps', '--graph', '--window', 'soon'], /'soon' is none/],
    ] as const) {
      const ran = await world.run([...args]);
      assert.equal(ran.code, 2, args.join(' '));
      assert.match(ran.stderr, expected);
    }
    assert.equal(port.windowsMs.length, before);
  });

  test('logs of a request is the tree of its calls, and lines where a part of it is asked for', async () => {
    const parts = [
      call('c', 'b', 'pricing.priceOf', { atMs: 4, durationMs: 3.2, way: 'in-process' }),
      line('catalog', 'looks it up', 5),
      call('b', 'a', 'catalog.contents', { atMs: 2, durationMs: 9 }),
      request('a', 'web', { durationMs: 48.2 }),
    ];
    for (const entry of parts) port.logs.write({ ...entry, requestId: 'r_tree' });
    const ran = await world.run(['logs', '--request', 'r_tree']);
    assert.equal(ran.code, 0, ran.stderr);
    assert.deepEqual(linesOf(ran.stdout), [
      '12:30:00.000 · 2 calls of 2 components',
      'CALL                    AT   TOOK  HOW',
      'web GET /              0ms   48ms  200',
      '└─ catalog.contents    2ms    9ms  wire',
      '   ├─ pricing.priceOf  4ms  3.2ms  in-process',
      '   └─ catalog │ looks it up',
    ]);
    const lines = linesOf((await world.run(['logs', '--request', 'r_tree', '--no-tree'])).stdout);
    assert.deepEqual([lines.length, lines.at(-1)], [4, '12:30:00.000 web              │ GET / 200 48ms']);
    for (const part of [['catalog'], ['-n', '2'], ['--since', '10000h'], ['--level', 'info']]) {
      const { stdout } = await world.run(['logs', ...part, '--request', 'r_tree']);
      assert.match(stdout, /│ call catalog\.contents$/m, part.join(' '));
    }
    const json = await world.run(['logs', '--request', 'r_tree', '--json']);
    assert.equal((JSON.parse(json.stdout) as unknown[]).length, 4);
    const none = await world.run(['logs', '--request', 'r_none']);
    assert.deepEqual([none.code, none.stdout], [0, '']);
    assert.match(none.stderr, /^The log has nothing of 'r_none'/);
  });
});
