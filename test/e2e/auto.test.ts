import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as wait } from 'node:timers/promises';
import { appFolder } from './support/app-folder.ts';
import { autoConfig, AutoServer, EVEN_PRICE, WAITING_WEB } from './support/auto-server.ts';
import { dataFolder } from './support/server-process.ts';
import { steadyLoad } from './support/steady-load.ts';

test('auto moves a component both ways as its load changes, without a failed request, and a restart keeps what it chose', async (t) => {
  const data = dataFolder(t);
  let server = await AutoServer.start(t, data, EVEN_PRICE);
  const app = await appFolder(t, {
    'fulcrum.config.ts': autoConfig(''),
    'web.ts': WAITING_WEB,
  });
  await server.deploy(app);

  const much = steadyLoad(`${server.url}/`, { rps: 60, maxMs: 120_000 });
  const [there] = await server.until(({ kind, to }) => kind === 'switched' && to === 'service');
  assert.equal(there!.by, 'auto');
  assert.match(there!.reason, /costs \$\d+\.\d\d a month as a function and \$\d+\.\d\d as a service/);
  assert.ok(there!.figures['savingLow']! >= 0.1 * there!.figures['presentPerMonth']!, JSON.stringify(there));
  const first = await much.stop();
  // Each request has a line of its own.
  const logged = await server.run('logs', 'web', '--app', 'moved', '--lines', '10000');
  assert.match(logged, /auto: switched from function to service/);
  assert.deepEqual(first.failures, []);

  await server.end();
  server = await AutoServer.start(t, data, EVEN_PRICE);
  assert.match(await server.run('ps', '--app', 'moved'), /web +service\*/);

  const little = steadyLoad(`${server.url}/`, { rps: 3, maxMs: 120_000 });
  const steps = await server.until(({ kind, to }) => kind === 'switched' && to === 'function');
  assert.ok(steps[0]!.figures['otherPerMonth']! < steps[0]!.figures['presentPerMonth']!);
  const second = await little.stop();
  assert.deepEqual(second.failures, []);
  assert.ok(first.sent > 200 && second.sent > 10, `${first.sent} and ${second.sent} requests`);
});

test('a switch that turns out worse than predicted is undone, and the next one has to wait longer', async (t) => {
  const server = await AutoServer.start(t, dataFolder(t), EVEN_PRICE);
  const app = await appFolder(t, {
    // Some windows to prove itself in: the first is in part what it was before.
    'fulcrum.config.ts': autoConfig('', '20m'),
    // It cannot stand company, which it has at this rate in a service alone: no replay of what it was like as a function could know.
    'web.ts': `
      let atOnce = 0;
      export default {
        async fetch() {
          atOnce += 1;
          await new Promise((resolve) => setTimeout(resolve, atOnce > 1 ? 400 : 40));
          atOnce -= 1;
          return new Response('hello');
        },
      };`,
  });
  await server.deploy(app);
  const load = steadyLoad(`${server.url}/`, { rps: 40, maxMs: 120_000 });
  const steps = await server.until(({ kind }) => kind === 'undone');
  assert.deepEqual(
    steps.slice(0, 2).map(({ kind, from, to }) => `${kind} ${from} ${to}`),
    ['undone service function', 'switched function service'],
  );
  assert.match(steps[0]!.reason, /^As a service 99 % take up to \S+, where \S+ was expected/);
  assert.match(steps[0]!.reason, /It is not tried again within 40m\.$/);
  const { failures } = await load.stop();
  assert.deepEqual(failures, []);
});

test('where it may not act it tells, once, and stays', async (t) => {
  const server = await AutoServer.start(t, dataFolder(t), EVEN_PRICE);
  const app = await appFolder(t, {
    'fulcrum.config.ts': autoConfig('acts: false'),
    'web.ts': `export default { fetch: () => new Response('hello') };`,
  });
  await server.deploy(app);
  const load = steadyLoad(`${server.url}/`, { rps: 60, maxMs: 120_000 });
  await server.until(({ kind, to }) => kind === 'would-switch' && to === 'service');
  // Two more windows, and there is still one step.
  await wait(2 * 5_500);
  assert.equal((await server.history()).length, 1);
  assert.match(await server.run('ps', '--app', 'moved'), /web +function\*/);
  assert.deepEqual((await load.stop()).failures, []);
});
