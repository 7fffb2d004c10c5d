import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { test } from 'node:test';
import { setTimeout as wait } from 'node:timers/promises';
import { PostgresServer } from '../conformance/store/support/postgres-server.ts';
import { appFolder } from './support/app-folder.ts';
import { autoConfig, AutoServer, EVEN_PRICE, WAITING_WEB } from './support/auto-server.ts';
import { dataFolder } from './support/server-process.ts';
import { steadyLoad } from './support/steady-load.ts';

const FOLLOWS_MS = 30_000;
const postgres = await PostgresServer.start();

test(
  'of two servers on one database one decides for both by what came to either, and whoever is left goes on',
  { skip: typeof postgres === 'string' ? postgres : false },
  async (t) => {
    const { place, clear } = await (postgres as PostgresServer).newDatabase();
    const env = { DATABASE_URL: place, FULCRUM_KEY: randomBytes(32).toString('base64') };
    const shared = { env, beganMs: Date.now() };
    const first = await AutoServer.start(t, dataFolder(t), EVEN_PRICE, shared);
    const app = await appFolder(t, {
      'fulcrum.config.ts': autoConfig(''),
      'web.ts': WAITING_WEB,
    });
    await first.deploy(app);
    const second = await AutoServer.start(t, dataFolder(t), EVEN_PRICE, shared);
    // Behind the servers' own ends: what is registered first runs first.
    t.after(clear);

    // The first has asked to decide before there was a second; all comes to the second.
    const much = steadyLoad(`${second.url}/`, { rps: 60, maxMs: 120_000 });
    await first.until(({ kind, to }) => kind === 'switched' && to === 'service');
    for (const server of [first, second]) await runsAs(server, 'service');
    // Whoever decides says so, and the other only follows.
    const logOf = (server: AutoServer): Promise<string> =>
      server.run('logs', 'web', '--app', 'moved', '--lines', '10000');
    assert.match(await logOf(first), /auto: switched from function to service/);
    assert.doesNotMatch(await logOf(second), /auto: switched/);
    assert.match(await logOf(second), /auto: a service here too, as another server has decided/);
    const { failures, sent } = await much.stop();
    assert.deepEqual(failures, []);
    assert.ok(sent > 100, `${sent} requests`);
    const steps = await second.history();
    // What one has decided, the other has not decided, too.
    assert.deepEqual(
      steps.map(({ kind, to, by }) => [kind, to, by]),
      [['switched', 'service', 'auto']],
    );

    await first.end();
    const little = steadyLoad(`${second.url}/`, { rps: 3, maxMs: 120_000 });
    const [back] = await second.until(({ kind, to }) => kind === 'switched' && to === 'function');
    assert.equal(back!.by, 'auto');
    await runsAs(second, 'function');
    assert.deepEqual((await little.stop()).failures, []);
  },
);

async function runsAs(server: AutoServer, mode: 'function' | 'service'): Promise<void> {
  for (const begunMs = performance.now(); ; await wait(200)) {
    const shown = await server.run('ps', '--app', 'moved');
    if (new RegExp(`web +${mode}\\*`).test(shown)) return;
    assert.ok(performance.now() - begunMs < FOLLOWS_MS, shown);
  }
}
