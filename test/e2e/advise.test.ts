// What `fulcrum advise` says of an app whose components each want something else, after ten days of usage.
import assert from 'node:assert/strict';
import { mkdirSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { systemClock } from '../../src/base/clock.ts';
import { silentLogger } from '../../src/base/log.ts';
import type { Advice } from '../../src/model/advice.ts';
import { STORE_FILE } from '../../src/server/places.ts';
import { openStore } from '../../src/store/open-store.ts';
import { appFolder, type AppFolder } from './support/app-folder.ts';
import { fillUsage, type Traffic } from './support/filled-usage.ts';
import { DevProcess, fulcrum, isolatedEnv } from './support/fulcrum-process.ts';

const APP = 'shop@development';
const DAYS = 10;
const HOUR_MS = 3_600_000;

/** A seldom-used service, a function that waits for long, one with state, one that must be quick, and one that nobody uses. */
const USED: readonly Omit<Traffic, 'app'>[] = [
  { component: 'thumbs', mode: 'service', rpsAt: () => 0.2, durationMs: 120, cpuMs: 60 },
  { component: 'waiting', mode: 'function', rpsAt: () => 1, durationMs: 29_000, cpuMs: 5 },
  { component: 'baskets', mode: 'service', rpsAt: () => 0.5, durationMs: 20, cpuMs: 5 },
  // Its cold starts alone take longer than what is asked of it.
  { component: 'quick', mode: 'function', rpsAt: () => 0.5, durationMs: 5, cpuMs: 2 },
];

function app(t: TestContext): Promise<AppFolder> {
  return appFolder(t, {
    'fulcrum.config.ts': `
      import { defineApp } from 'fulcrum';
      export default defineApp({
        name: 'shop',
        advisor: { books: ['aws-lambda-x86', 'aws-fargate-x86'] },
        components: {
          thumbs: { entry: './plain.ts', routes: ['/thumbs'], mode: 'service' },
          waiting: { entry: './plain.ts', routes: ['/waiting'], memory: '1GB', max: 500, replicas: { max: 4 } },
          baskets: { entry: './baskets.ts', routes: ['/baskets'], mode: 'service' },
          quick: { entry: './plain.ts', routes: ['/quick'], keepAlive: '0s', objective: { p99: '9ms' } },
          unused: { entry: './plain.ts', routes: ['/unused'], mode: 'service' },
        },
      });`,
    'plain.ts': `export default { fetch: () => new Response('ok') };`,
    'baskets.ts': `
      const baskets = new Map<string, string[]>();
      export default {
        async fetch(request: Request): Promise<Response> {
          const who = new URL(request.url).searchParams.get('who') ?? '';
          if (request.method === 'POST') baskets.set(who, [...(baskets.get(who) ?? []), await request.text()]);
          return Response.json(baskets.get(who) ?? []);
        },
      };`,
  });
}

test('what each component should be, why, and what that saves', async (t) => {
  const [folder, env] = [await app(t), isolatedEnv()];
  mkdirSync(join(folder.path, '.fulcrum'), { mode: 0o711 });
  const path = join(folder.path, '.fulcrum', STORE_FILE);
  const store = await openStore({ databaseUrl: null, path, clock: systemClock, logger: silentLogger });
  const nowMs = Math.floor(Date.now() / HOUR_MS) * HOUR_MS;
  for (const traffic of USED) await fillUsage(store.usage, { ...traffic, app: APP }, DAYS, nowMs);
  await store.close();
  await DevProcess.start(t, env, folder.path);
  const run = async (...args: string[]): Promise<string> => {
    const ran = await fulcrum(env, ['advise', ...args], folder.path);
    assert.equal(ran.code, 0, ran.stderr);
    return ran.stdout;
  };

  const told = JSON.parse(await run('--json')) as { app: string; advice: Advice[] };
  assert.equal(told.app, APP);
  const of = (unit: string): Advice => told.advice.find((advice) => advice.unit === unit)!;
  const verdict = (unit: string): string => {
    const found = of(unit).verdict;
    return 'mode' in found ? `${found.kind} ${found.mode} ${found.because}` : found.kind;
  };
  assert.deepEqual(['thumbs', 'waiting', 'baskets', 'quick', 'unused'].map(verdict), [
    'switch function cheapest',
    'switch service cheapest',
    'keep service only-possible',
    'switch service objective',
    'not-enough-evidence',
  ]);
  const { evidence, modes } = of('thumbs');
  assert.deepEqual([evidence.source, evidence.samples], ['usage', 200]);
  // From the first minute that was counted up to now.
  assert.ok(Math.abs((evidence.toMs - evidence.fromMs) / HOUR_MS - DAYS * 24) < 2, JSON.stringify(evidence));
  assert.deepEqual([modes.function.book, modes.service.book], ['aws-lambda-x86', 'aws-fargate-x86']);
  const obstacle = of('baskets').obstacles.find(({ mode }) => mode === 'function')!;
  assert.deepEqual([obstacle.severity, obstacle.criterion], ['impossible', 'state']);
  assert.match(obstacle.evidence.join(), /baskets\.ts:6/);

  const table = (await run()).split('\n');
  for (const line of table) assert.ok(Array.from(line).length <= 80, `too wide: ${line}`);
  assert.match(
    table.slice(0, 3).join(' '),
    /^Switch thumbs to a function, waiting and quick to a service: that saves \$[\d.]+ a month\./,
  );
  const rows = table.filter((line) => /^(?:thumbs|waiting|baskets|quick|unused) /.test(line));
  assert.deepEqual(rows.map((row) => row.split(/ +/).slice(0, 3).join(' ')).sort(), [
    'baskets service keep',
    'quick function service',
    'thumbs service function',
    'unused service ?',
    'waiting function service',
  ]);
  // Those first by which most is saved, and last what nothing can be told of.
  assert.match(rows[0]!, /^(?:waiting|thumbs) +\w+ +\w+ +\$[\d.]+ +\$[\d.]+ /);
  assert.match(rows.at(-1)!, /^unused .* needs 50 more/);

  const picture = join(folder.path, 'waiting.svg');
  const one = (await run('waiting', '--chart', picture)).split('\n');
  for (const line of one) assert.ok(Array.from(line).length <= 80, `too wide: ${line}`);
  assert.match(one[0]!, /^Make waiting a service: it saves \$[\d.]+ a month \(\d+ %\)\.$/);
  assert.match(one[1]!, /^\S.*\S/);
  assert.ok(
    one.some((line) => /▲ now 2\/min/.test(line)),
    one.join('\n'),
  );
  assert.match(await readFile(picture, 'utf8'), /<title id="title">waiting: cost a month as a function/);

  assert.match(await run('--dry'), /^baskets +service +\d.* findings?$/m);
  const wrong = await fulcrum(env, ['advise', 'wating'], folder.path);
  assert.deepEqual([wrong.code, /Did you mean 'waiting'\?/.test(wrong.stderr)], [1, true], wrong.stderr);
});
