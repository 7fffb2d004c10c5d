import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ask } from '../e2e/support/admin-api.ts';
import { appFolder } from '../e2e/support/app-folder.ts';
import { isolatedEnv } from '../e2e/support/fulcrum-process.ts';
import { dataFolder, ServerProcess } from '../e2e/support/server-process.ts';
import type { ServerFacts } from '../../src/control/schemas.ts';
import type { ComponentStatus } from '../../src/model/status.ts';

const MB = 1024 ** 2;
const BUDGET_MB = 512;
const SERVICE_MB = 128;
/** A plain Node process has 45 MB before it does anything. */
const FUNCTION_MB = 96;
/** Beside the service. */
const FIT = (BUDGET_MB - SERVICE_MB) / FUNCTION_MB;
const HELD_MB = 40;
const FLOOD = 40;

const CONFIG = `
import { defineApp } from 'fulcrum';
export default defineApp({
  name: 'hungry',
  components: {
    web: { entry: './web.ts', routes: ['/*'], mode: 'service', memory: '${SERVICE_MB}MB' },
    report: { entry: './report.ts', routes: ['/report'], memory: '${FUNCTION_MB}MB', queue: ${FLOOD / 2} },
    other: { entry: './other.ts', routes: ['/other'], memory: '${FUNCTION_MB}MB' },
  },
});
`;

const WEB = `export default { fetch: () => new Response('web') };\n`;
/** Most of what it may hold, and every page of it touched. */
const HUNGRY = `
const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));
let held: Buffer | null = null;
export default {
  async fetch(): Promise<Response> {
    held ??= Buffer.alloc(${HELD_MB} * 1024 * 1024, 1);
    await pause(150);
    let pages = 0;
    for (let at = 0; at < held.length; at += 4096) pages += held[at]!;
    return new Response('held ' + pages);
  },
};
`;

interface Answer {
  readonly status: number;
  readonly retryAfter: string | null;
  readonly text: string;
}

test('with more work than the machine has memory for, nothing is lost and nothing is promised twice', async (t) => {
  const [env, data] = [isolatedEnv(), dataFolder(t)];
  const app = await appFolder(t, {
    'fulcrum.config.ts': CONFIG,
    'web.ts': WEB,
    'report.ts': HUNGRY,
    'other.ts': HUNGRY,
  });
  const server = await ServerProcess.start(t, { env, data, args: ['--memory-budget', `${BUDGET_MB}MB`] });
  const deployed = await server.run('deploy', app.path, '--no-typecheck');
  assert.equal(deployed.code, 0, deployed.stderr);
  const told = deployed.stderr.replaceAll(/\s+/g, ' ');
  assert.match(
    told,
    /! fit .* report, other: max 100 × 96 MB = 9\.4 GB, but 4 fit into this machine's budget of 512 MB/,
  );

  const get = async (path: string): Promise<Answer> => {
    const response = await fetch(`${server.url}${path}`);
    const retryAfter = response.headers.get('retry-after');
    return { status: response.status, retryAfter, text: await response.text() };
  };
  const budget = async (): Promise<NonNullable<ServerFacts['budget']>> =>
    ((await ask(env, 'GET', '/server')).body as ServerFacts).budget!;
  const instances = async (): Promise<{ report: number; other: number }> => {
    const { body } = await ask(env, 'GET', '/apps/hungry/components');
    const of = (name: string): number =>
      (body as ComponentStatus[]).find((one) => one.name === name)!.instances.length;
    return { report: of('report'), other: of('other') };
  };

  let isOver = false;
  const flood = Promise.all(Array.from({ length: FLOOD }, () => get('/report'))).finally(() => {
    isOver = true;
  });
  const others = Promise.all([get('/other'), get('/other')]);
  let [looks, most] = [0, 0];
  while (!isOver) {
    const [{ promisedBytes, memoryBytes }, { report, other }, page] = await Promise.all([
      budget(),
      instances(),
      get('/'),
    ]);
    looks++;
    most = Math.max(most, report);
    assert.equal(memoryBytes, BUDGET_MB * MB);
    assert.ok(promisedBytes <= memoryBytes, 'the machine is never promised twice');
    assert.ok(report + other <= FIT, `${report} and ${other} instances`);
    assert.deepEqual(page, { status: 200, retryAfter: null, text: 'web' }, 'the service answers');
  }
  assert.ok(looks > 3 && most > 1, `${looks} looks, ${most} instances at most`);

  const answers = await flood;
  const served = answers.filter(({ status }) => status === 200);
  const refused = answers.filter(({ status }) => status !== 200);
  for (const { text } of served) assert.equal(text, `held ${(HELD_MB * MB) / 4096}`);
  for (const { status, retryAfter, text } of refused)
    assert.deepEqual([status, retryAfter], [503, '1'], text);
  assert.ok(served.length >= FLOOD / 2, 'as many as could wait were served');
  for (const { status } of await others) assert.equal(status, 200, 'nobody waits until a flood is over');

  // Keep-alives pass, and only the service is left.
  let left = await budget();
  while (left.promisedBytes > SERVICE_MB * MB || left.keptBytes > 0) left = await budget();
  assert.deepEqual([left.waiting, left.pressed], [0, false]);
  const { stdout } = await server.run('ps', '--app', 'hungry');
  assert.match(stdout, /^machine: 128 MB of 512 MB promised$/m);
  assert.equal((await get('/report')).status, 200);

  // A change that has no room beside what serves changes nothing.
  await app.write(
    'fulcrum.config.ts',
    CONFIG.replace(`memory: '${SERVICE_MB}MB'`, `memory: '${BUDGET_MB}MB'`),
  );
  const failed = await server.run('deploy', app.path, '--no-typecheck');
  assert.equal(failed.code, 1);
  assert.match(failed.stderr, /machine-full.*Services need 512 MB.*beside the 128 MB.*384 MB are free/s);
  assert.equal((await get('/')).text, 'web');
});
