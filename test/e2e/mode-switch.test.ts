import assert from 'node:assert/strict';
import { setTimeout as wait } from 'node:timers/promises';
import { test } from 'node:test';
import { appFolder, config } from './support/app-folder.ts';
import { DevProcess, fulcrum, isolatedEnv } from './support/fulcrum-process.ts';
import { steadyLoad } from './support/steady-load.ts';

const SWITCHES = process.env.FULCRUM_FULL ? 200 : 40;
const RPS = 200;

const GREETER = `
  // The two modes differ in nothing that the code is told; which one runs shows in how many requests a process has at a time.
  let atOnce = 0;
  let most = 0;
  export default {
    async fetch(request: Request) {
      atOnce += 1;
      most = Math.max(most, atOnce);
      const body = request.method === 'POST' ? await request.text() : '';
      await new Promise((resolve) => setTimeout(resolve, 4));
      atOnce -= 1;
      return new Response('hello ' + body, { headers: { 'x-mode': most > 1 ? 'shared' : 'alone' } });
    },
  };`;

test(`${SWITCHES / 2} switches in each direction at ${RPS} requests/s: none fails`, async (t) => {
  const env = isolatedEnv();
  const app = await appFolder(t, {
    'fulcrum.config.ts': config(`{ greeter: { entry: './greeter.ts', routes: ['/*'] } }`),
    'greeter.ts': GREETER,
  });
  const dev = await DevProcess.start(t, env, app.path);
  const gets = steadyLoad(`${dev.url}/a`, { rps: RPS / 2, maxMs: 900_000 });
  const posts = steadyLoad(`${dev.url}/b`, {
    rps: RPS / 2,
    maxMs: 900_000,
    method: 'POST',
    body: 'x'.repeat(2_000),
  });

  for (let i = 0; i < SWITCHES; i++) {
    const to = i % 2 === 0 ? 'service' : 'function';
    const switched = await fulcrum(env, ['mode', 'greeter', to, '--app', app.path, '--json']);
    assert.equal(switched.code, 0, switched.stderr);
    assert.equal((JSON.parse(switched.stdout) as { to: string }).to, to);
    // Traffic must meet each mode; nothing here waits for a condition.
    await wait(300);
  }

  const results = await Promise.all([gets.stop(), posts.stop()]);
  for (const { failures } of results) assert.deepEqual(failures, []);
  const sent = results.reduce((sum, result) => sum + result.sent, 0);
  assert.ok(sent > RPS * SWITCHES * 0.3, `only ${sent} requests were sent`);
  for (const { seen } of results) assert.deepEqual([...seen.keys()].sort(), ['alone', 'shared']);
});
