import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { test } from 'node:test';
import { bannerLines } from './dev-printer.ts';
import { Running } from './fixtures/run-cli.ts';

function startFakeDev(ending: 'ends' | 'hangs'): Running {
  const script = join(import.meta.dirname, 'fixtures', 'fake-dev.ts');
  const env = { ...process.env, NO_COLOR: '1', FORCE_COLOR: undefined, COLUMNS: '80' };
  return new Running(spawn(process.execPath, [script, ending], { env, stdio: 'pipe' }));
}

test('dev shows what runs, what was reloaded and what was not, and ends in order at Ctrl-C', async () => {
  const running = startFakeDev('ends');
  await running.says(/hello/);
  running.child.kill('SIGINT');
  const ran = await running.ended();
  assert.equal(ran.code, 0, ran.stderr);
  assert.match(
    ran.stdout,
    /Fulcrum \d+\.\d+\.\d+ {2}ready in 412ms\n\n {2}App {3}http:\/\/127\.0\.0\.1:8080\n {2}Admin http:/,
  );
  assert.match(ran.stdout, /^ {2}storefront +service +\/\*$/m);
  assert.match(ran.stdout, /^ {2}assets +static +\/assets\/\*$/m);
  assert.match(ran.stdout, /^ {2}Port 8080 was taken\.$/m);
  assert.match(ran.stdout, /^reloaded catalog in 83 ms$/m);
  assert.match(
    ran.stdout,
    /^✖ not live: build-failed: catalog\.ts:3:1: Unexpected token\n {2}3 \| \}\n {4}\| \^$/m,
  );
  assert.match(ran.stdout, /^catalog {4}│ hello$/m);
  assert.match(ran.stdout, /closed in order\n$/);
});

test('a second Ctrl-C ends dev at once', async () => {
  const running = startFakeDev('hangs');
  await running.says(/hello/);
  running.child.kill('SIGINT');
  await running.says(/Ctrl-C again ends at once/);
  // Presses that come as quickly as one that is passed on do not count; a person's next one does.
  const again = setInterval(() => running.child.kill('SIGINT'), 100);
  const ran = await running.ended();
  clearInterval(again);
  assert.equal(ran.code, 130);
});

test('the banner fits 80 columns', () => {
  const lines = bannerLines(
    {
      kind: 'ready',
      tookMs: 1_234,
      gatewayUrl: 'http://127.0.0.1:8080',
      adminLink: `http://127.0.0.1:8081/?token=${'x'.repeat(43)}`,
      components: [
        {
          name: 'a-component-with-a-very-long-name-indeed',
          kind: 'module',
          group: null,
          mode: 'function',
          routes: ['shop.example.com/a/rather/long/path/*', '/another/*', '/a/third/*'],
        },
        { name: 'inventory', kind: 'module', group: null, mode: 'service', routes: [] },
      ],
      notes: [],
    },
    '0.1.0',
    80,
  );
  for (const line of lines) assert.ok(line.length <= 80, line);
  assert.ok(
    lines.some((line) => line.includes('x'.repeat(43))),
    'a link is never cut',
  );
});

test('the banner shows a group with its members below it', () => {
  const lines = bannerLines(
    {
      kind: 'ready',
      tookMs: 1_234,
      gatewayUrl: 'http://127.0.0.1:8080',
      adminLink: 'http://127.0.0.1:8081/?token=x',
      components: [
        { name: 'core', kind: 'group', group: null, mode: 'function', routes: [] },
        { name: 'checkout', kind: 'module', group: 'core', mode: null, routes: ['/checkout'] },
        { name: 'inventory', kind: 'module', group: 'core', mode: null, routes: [] },
        { name: 'storefront', kind: 'module', group: null, mode: 'service', routes: ['/*'] },
      ],
      notes: [],
    },
    '0.1.0',
    80,
  ).map((line) => line.trimEnd());
  const from = lines.findIndex((line) => line.includes('COMPONENT'));
  assert.deepEqual(lines.slice(from, from + 5), [
    '  COMPONENT    MODE      ROUTES',
    '  core         function',
    '    checkout             /checkout',
    '    inventory            -',
    '  storefront   service   /*',
  ]);
  assert.ok(lines.includes('  Switch while it runs: fulcrum mode core service'));
});
