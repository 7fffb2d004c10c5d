import assert from 'node:assert/strict';
import { setTimeout as wait } from 'node:timers/promises';
import { test } from 'node:test';
import { isolatedEnv } from '../e2e/support/fulcrum-process.ts';
import { dataFolder, ServerProcess } from '../e2e/support/server-process.ts';
import { versionOf } from './support/counted-app.ts';
import { CountingClients } from './support/counting-clients.ts';
import { GROUPINGS, groupedConfig, keptIn, regroupedApp } from './support/regrouped-app.ts';

const FULL = process.env['FULCRUM_FULL'] === '1';
const RPS = FULL ? 200 : 20;
const REGROUPINGS = FULL ? 50 : 5;
/** Requests between two of them, so that traffic meets each. */
const BETWEEN = Math.ceil(RPS / 5);
const DELIVERED_WITHIN_MS = 30_000;

test(`${REGROUPINGS} regroupings at ${RPS} requests/s: none fails, none is lost or done twice, and every event arrives`, async (t) => {
  const [env, data, app] = [isolatedEnv(), dataFolder(t), await regroupedApp(t)];
  const server = await ServerProcess.start(t, { env, data });
  const run = async (...args: readonly string[]): Promise<string> => {
    const done = await server.run(...args);
    assert.equal(done.code, 0, `${args.join(' ')}\n${done.stdout}${done.stderr}`);
    return done.stdout;
  };
  const deploy = (): Promise<string> => run('deploy', app.path, '--no-typecheck');
  await deploy();
  const clients = new CountingClients(server.url, RPS);
  t.after(() => clients.stop());
  await clients.answered(BETWEEN);

  for (let i = 1; i <= REGROUPINGS; i++) {
    const grouping = GROUPINGS[i % GROUPINGS.length]!;
    await app.write('fulcrum.config.ts', groupedConfig(grouping));
    // A request that meets two releases is known by that.
    await app.write('version.ts', versionOf(String(i + 1)));
    await deploy();
    assert.deepEqual(await groupsOf(run), grouping.groups);
    await clients.answered(BETWEEN);
  }

  const { sent, failures, versions } = await clients.stop();
  assert.deepEqual(failures, []);
  assert.equal(versions.size, REGROUPINGS + 1);
  for (const [kind, count] of Object.entries(sent)) assert.ok(count > 0, `no ${kind} was sent`);

  const storage = `${data}/apps/counted/storage`;
  const written = await keptIn(storage, 'book');
  assert.equal(written.length, sent.post, 'each call is done once');
  assert.equal(new Set(written).size, sent.post, 'and no call in the place of another');
  const delivered = async (): Promise<Set<number>> => new Set(await keptIn(storage, 'tally'));
  const begunMs = performance.now();
  while ((await delivered()).size < sent.post && performance.now() - begunMs < DELIVERED_WITHIN_MS)
    await wait(50);
  assert.deepEqual((await delivered()).symmetricDifference(new Set(written)), new Set());
});

/** As `fulcrum ps` shows them. */
async function groupsOf(
  run: (...args: readonly string[]) => Promise<string>,
): Promise<Record<string, string[]>> {
  const { components } = JSON.parse(await run('ps', '--app', 'counted', '--json')) as {
    components: { name: string; group: string | null }[];
  };
  const groups: Record<string, string[]> = {};
  for (const { name, group } of components) if (group !== null) (groups[group] ??= []).push(name);
  return groups;
}
