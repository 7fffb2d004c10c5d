import assert from 'node:assert/strict';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { systemClock } from '../../src/base/clock.ts';
import { silentLogger } from '../../src/base/log.ts';
import { dayOf } from '../../src/cli/when.ts';
import type { CapacityReport, ComponentCapacity } from '../../src/model/capacity.ts';
import { STORE_FILE } from '../../src/server/places.ts';
import { openStore } from '../../src/store/open-store.ts';
import { PostgresServer } from '../conformance/store/support/postgres-server.ts';
import { ask } from './support/admin-api.ts';
import { appFolder, type AppFolder } from './support/app-folder.ts';
import { arrivalsOf, fillUsage, type Traffic } from './support/filled-usage.ts';
import { DevProcess, fulcrum, isolatedEnv, type Finished } from './support/fulcrum-process.ts';
import { dataFolder, ServerProcess } from './support/server-process.ts';

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
const DAYS = 30;
const LIMIT_RPS = 55;
/** At a time, in groups, in the busiest minute. */
const TOGETHER = 10;

function app(t: TestContext): Promise<AppFolder> {
  return appFolder(t, {
    'fulcrum.config.ts': `
      import { defineApp } from 'fulcrum';
      export default defineApp({
        name: 'shop',
        components: {
          catalog: { entry: './plain.ts', routes: ['/*'], limits: { rps: ${LIMIT_RPS}, burst: 100 } },
          report: { entry: './plain.ts', routes: ['/report'], mode: 'service' },
          paused: { entry: './plain.ts', routes: ['/paused'], limits: { concurrency: 0 } },
          assets: { static: './public', routes: ['/assets/*'] },
        },
      });`,
    'plain.ts': `export default { fetch: () => new Response('ok') };`,
    'public/a.txt': 'a',
  });
}

/** 10/s at 18:00 UTC of the first day, half of it at all other hours, and one more each day: 55/s after 45 days. */
async function fill(place: { databaseUrl: string | null; path: string }, appId: string): Promise<number> {
  const nowMs = Date.now();
  const firstMs = Math.floor(nowMs / HOUR_MS) * HOUR_MS - DAYS * DAY_MS;
  const rpsAt = (hourMs: number): number =>
    (10 + (hourMs - firstMs) / DAY_MS) * (new Date(hourMs).getUTCHours() === 18 ? 1 : 0.5);
  const traffic: Traffic = {
    app: appId,
    component: 'catalog',
    mode: 'function',
    rpsAt,
    durationMs: 50,
    cpuMs: 10,
  };
  const store = await openStore({ ...place, clock: systemClock, logger: silentLogger });
  try {
    await fillUsage(store.usage, traffic, DAYS, nowMs);
    let busiestMs = Math.floor(nowMs / HOUR_MS) * HOUR_MS - HOUR_MS;
    while (new Date(busiestMs).getUTCHours() !== 18) busiestMs -= HOUR_MS;
    await store.usage.append(arrivalsOf(traffic, busiestMs + 18 * 60_000, TOGETHER));
  } finally {
    await store.close();
  }
  let crossingMs = firstMs;
  while (rpsAt(crossingMs) < LIMIT_RPS) crossingMs += HOUR_MS;
  return crossingMs;
}

async function check(run: (...args: string[]) => Promise<Finished>, crossingMs: number): Promise<void> {
  const json = await run('capacity', '--json');
  assert.equal(json.code, 0, json.stderr);
  const report = JSON.parse(json.stdout) as CapacityReport;
  assert.equal(report.usage.days, DAYS);
  // An hour may have ended since it was filled.
  assert.ok(report.usage.outageHours <= 1);
  assert.deepEqual(report.components.map(({ name }) => name).sort(), ['catalog', 'paused', 'report']);
  const catalog = report.components.find(({ name }) => name === 'catalog')!;
  assert.equal(catalog.first, 'rps');
  const { reached } = catalog.limits.find(({ name }) => name === 'rps')!;
  assert.ok(reached.kind === 'expected', JSON.stringify(reached));
  assert.ok(Math.abs(reached.expectedMs - crossingMs) <= DAY_MS, new Date(reached.expectedMs).toISOString());
  assert.deepEqual([catalog.peak!.concurrency.value, catalog.peak!.concurrencyFrom], [TOGETHER, 'arrivals']);
  assert.ok(Math.abs(catalog.meanMs! - 50) < 1e-6 && Math.abs(catalog.cpuMs! - 10) < 1e-6);
  assert.ok(catalog.room.kind === 'measured' && catalog.room.mostRps <= LIMIT_RPS);
  // Its one replica is there from the start.
  assert.ok(report.machine.memory.now >= 256 * 1024 ** 2);

  const shown = await run('capacity');
  assert.equal(shown.code, 0, shown.stderr);
  const lines = shown.stdout.split('\n');
  for (const line of lines) assert.ok(Array.from(line).length <= 80, `too wide: ${line}`);
  assert.match(lines[0]!, /^shop · \w+ · 30 days of usage$/);
  const day = dayOf(reached.expectedMs, report.atMs);
  assert.match(shown.stdout, new RegExp(`^catalog .* rps ${LIMIT_RPS} +${day}$`, 'm'));
  assert.match(
    shown.stdout,
    new RegExp(`^catalog reaches rps ${LIMIT_RPS} about ${day}; four times in five`, 'm'),
  );
  assert.match(shown.stdout, /^paused .* none +switched off /m);
  assert.match(shown.stdout, /^report: no request in this time/m);

  const week = JSON.parse((await run('capacity', '--days', '2', '--json')).stdout) as CapacityReport;
  assert.equal(week.usage.days, 2);
  assert.deepEqual(week.components.find(({ name }) => name === 'catalog')!.limits[1]!.reached, {
    kind: 'unknown',
  });
  const wrong = await run('capacity', '--days', '91');
  assert.equal(wrong.code, 2);
  assert.match(wrong.stderr, /a number from 1 to 90/);
}

/** Limits that were set by hand are what is reached and bounds, from that moment on. */
async function checkByHand(run: (...args: string[]) => Promise<Finished>): Promise<void> {
  const catalog = async (...args: string[]): Promise<ComponentCapacity> => {
    const set = await run('limits', 'catalog', ...args);
    assert.equal(set.code, 0, set.stderr);
    const json = await run('capacity', '--json');
    const { components } = JSON.parse(json.stdout) as CapacityReport;
    return components.find(({ name }) => name === 'catalog')!;
  };
  const { limits, room } = await catalog('--rps', '1');
  assert.equal(limits.find(({ name }) => name === 'rps')!.limit, 1);
  assert.ok(room.kind === 'measured' && room.boundedBy === 'rps' && room.mostRps === 1, JSON.stringify(room));
  assert.deepEqual((await catalog('--off')).room, { kind: 'off' });
}

test('a month of usage in dev’s store says when a limit will be reached, and what there is room for now', async (t) => {
  const [folder, env] = [await app(t), isolatedEnv()];
  mkdirSync(join(folder.path, '.fulcrum'), { mode: 0o711 });
  const path = join(folder.path, '.fulcrum', STORE_FILE);
  const crossingMs = await fill({ databaseUrl: null, path }, 'shop@development');
  await DevProcess.start(t, env, folder.path);
  const run = (...args: string[]): Promise<Finished> => fulcrum(env, args, folder.path);
  await check(run, crossingMs);
  await checkByHand(run);
});

const postgres = await PostgresServer.start();

test(
  'the same of a server with Postgres',
  { skip: typeof postgres === 'string' ? postgres : false },
  async (t) => {
    const { place, clear } = await (postgres as PostgresServer).newDatabase();
    t.after(clear);
    const crossingMs = await fill({ databaseUrl: place, path: '' }, 'shop');
    const env = { ...isolatedEnv(), DATABASE_URL: place };
    const server = await ServerProcess.start(t, { env, data: dataFolder(t), args: ['--make-key'] });
    const done = await server.run('deploy', (await app(t)).path, '--no-typecheck');
    assert.equal(done.code, 0, done.stdout + done.stderr);
    await check((...args) => server.run(...args), crossingMs);
    const far = await ask(server.env, 'GET', '/apps/shop/capacity?days=0');
    assert.equal(far.status, 400);
  },
);
