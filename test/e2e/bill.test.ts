import assert from 'node:assert/strict';
import { mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { systemClock } from '../../src/base/clock.ts';
import { silentLogger } from '../../src/base/log.ts';
import type { BillReport } from '../../src/model/bill-report.ts';
import { STORE_FILE } from '../../src/server/places.ts';
import { openStore } from '../../src/store/open-store.ts';
import { appFolder, type AppFolder } from './support/app-folder.ts';
import { fillUsage, type Traffic } from './support/filled-usage.ts';
import { DevProcess, fulcrum, isolatedEnv, type Finished } from './support/fulcrum-process.ts';

const DAYS = 30;
const HOUR_MS = 3_600_000;
const DURATION_MS = 40.5;
const PER_HOUR_MINUTES = [30, 60, 30];
const LIVE = 7;

function app(t: TestContext): Promise<AppFolder> {
  return appFolder(t, {
    'fulcrum.config.ts': `
      import { defineApp } from 'fulcrum';
      export default defineApp({
        name: 'shop',
        components: {
          catalog: { entry: './plain.ts', routes: ['/*'] },
          report: { entry: './plain.ts', routes: ['/report'], mode: 'service' },
        },
      });`,
    'plain.ts': `export default { fetch: () => new Response('ok') };`,
  });
}

test('a month in dev’s store is billed to the cent in the mode that it ran in, and replayed in the other', async (t) => {
  const [folder, env] = [await app(t), isolatedEnv()];
  mkdirSync(join(folder.path, '.fulcrum'), { mode: 0o711 });
  const place = { databaseUrl: null, path: join(folder.path, '.fulcrum', STORE_FILE) };
  const store = await openStore({ ...place, clock: systemClock, logger: silentLogger });
  const traffic: Traffic = {
    app: 'shop@development',
    component: 'catalog',
    mode: 'function',
    rpsAt: () => 1,
    durationMs: DURATION_MS,
    cpuMs: 10,
  };
  const nowMs = Date.now();
  await fillUsage(store.usage, traffic, DAYS, nowMs);
  await store.close();
  const hours = DAYS * 24;
  const stored = hours * PER_HOUR_MINUTES.reduce((sum, count) => sum + count, 0);

  const dev = await DevProcess.start(t, env, folder.path);
  for (let i = 0; i < LIVE; i++) assert.equal((await fetch(`${dev.url}/`)).status, 200);
  const run = (...args: string[]): Promise<Finished> => fulcrum(env, args, folder.path);

  const since = ['--since', '31d', '--without', 'gateway', '--without', 'load-balancer'];
  const csv = join(folder.path, 'focus.csv');
  const json = await run('bill', ...since, '--machine', '40/month,4,8', '--focus', csv, '--json');
  assert.equal(json.code, 0, json.stderr);
  const report = JSON.parse(json.stdout) as BillReport;
  const catalog = report.units.find(({ unit }) => unit === 'catalog')!;
  assert.equal(catalog.executed, stored + LIVE);
  assert.equal(catalog.bytesOut, LIVE * 'ok'.length);
  const offer = (scenario: string, book: string): BillReport['offers'][number] =>
    report.offers.find((one) => one.scenario === scenario && one.book === book)!;

  // $0.20 a million requests, and $0.0000166667 for each second of 128 MB, in eighths of a GB.
  const lambda = offer('as-it-ran', 'aws-lambda-x86');
  const expected = (catalog.executed * 0.2) / 1e6 + (catalog.billedMs / 1_000 / 8) * 0.0000166667;
  assert.equal(lambda.basis, 'counted');
  assert.ok(Math.abs(lambda.exact! - expected) < 1e-6, `${lambda.exact} is not ${expected}`);
  assert.ok(catalog.billedMs >= stored * Math.ceil(DURATION_MS));
  // Everything as a service: of the least size, from its first minute, the 17th of an hour, until now; what has just begun is next to nothing.
  const firstMs = Math.floor(nowMs / HOUR_MS) * HOUR_MS - hours * HOUR_MS + 17 * 60_000;
  const seenHours = (nowMs - firstMs) / HOUR_MS;
  const fargate = offer('service', 'aws-fargate-x86');
  const vcpuHours = fargate.lines.find(({ id }) => id === 'vcpu-hours')!.quantity;
  assert.ok(vcpuHours >= seenHours * 0.25 && vcpuHours < (seenHours + 2) * 0.25 + 0.1, `${vcpuHours} vCPU-h`);
  const month = (Date.now() - report.fromMs) / HOUR_MS / 730;
  assert.ok(Math.abs(offer('as-it-ran', 'own-machine').exact! - 40 * month) < 0.01);

  const rows = readFileSync(csv, 'utf8').trimEnd().split('\n').slice(1);
  const asItRan = rows.filter((row) => row.includes(',as-it-ran,') && row.includes('aws-lambda-x86/'));
  const sum = asItRan.reduce((total, row) => total + Number(row.split(',')[0]), 0);
  assert.ok(Math.abs(sum - lambda.exact!) < 1e-6, `${sum} of FOCUS are not ${lambda.exact}`);

  const shown = await run('bill', '--since', '31d');
  assert.equal(shown.code, 0, shown.stderr);
  for (const line of shown.stdout.split('\n')) assert.ok(Array.from(line).length <= 80, `too wide: ${line}`);
  assert.match(shown.stdout, /^As it ran: \$0\.\d\d\*? on aws-lambda-x86/);

  const file = join(folder.path, 'usage.jsonl');
  const written = await run('usage', '--since', '31d', '--out', file);
  assert.equal(written.code, 0, written.stderr);
  const lines = readFileSync(file, 'utf8').trimEnd().split('\n');
  assert.deepEqual(JSON.parse(lines.at(-1)!), { kind: 'end', lines: lines.length - 1 });
});
