import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { setTimeout as wait } from 'node:timers/promises';
import { test, type TestContext } from 'node:test';
import { ask } from '../e2e/support/admin-api.ts';
import type { AppFolder } from '../e2e/support/app-folder.ts';
import { isolatedEnv } from '../e2e/support/fulcrum-process.ts';
import { dataFolder, ServerProcess } from '../e2e/support/server-process.ts';
import { countedApp, versionOf } from './support/counted-app.ts';
import { CountingClients, type Counted } from './support/counting-clients.ts';

const FULL = process.env['FULCRUM_FULL'] === '1';
const RPS = FULL ? 300 : 30;
const DEPLOYS = FULL ? 50 : 5;
const ROLLBACKS = FULL ? 20 : 2;
const SWITCHES = FULL ? 40 : 4;
/** Requests between two changes, so that traffic meets each state. */
const BETWEEN = Math.ceil(RPS / 5);

/** One after the other, again and again: one of each component comes first. */
const SWITCHED = [
  ['web', 'function'],
  ['sums', 'service'],
  ['web', 'service'],
  ['sums', 'function'],
] as const;

/** A socket as systemd holds it: bound, inherited by one server after the other, and accepted from by none but those. */
function heldSocket(t: TestContext): number {
  const { TCP, constants } = (
    process as unknown as {
      binding(name: string): { TCP: new (type: number) => Tcp; constants: { SOCKET: number } };
    }
  ).binding('tcp_wrap');
  const socket = new TCP(constants.SOCKET);
  assert.equal(socket.bind('127.0.0.1', 0), 0);
  t.after(() => socket.close());
  return socket.fd;
}

interface Tcp {
  readonly fd: number;
  bind(host: string, port: number): number;
  close(): void;
}

interface Scene {
  readonly server: ServerProcess;
  readonly app: AppFolder;
  readonly data: string;
  deploy(version: string, ...args: readonly string[]): Promise<void>;
  run(...args: readonly string[]): Promise<string>;
}

async function scene(t: TestContext, socket?: number): Promise<Scene> {
  const [env, data, app] = [isolatedEnv(), dataFolder(t), await countedApp(t)];
  const server = await ServerProcess.start(t, { env, data, ...(socket === undefined ? {} : { socket }) });
  const run = async (...args: readonly string[]): Promise<string> => {
    const done = await server.run(...args);
    assert.equal(done.code, 0, `${args.join(' ')}\n${done.stdout}${done.stderr}`);
    return done.stdout;
  };
  const deploy = async (version: string, ...args: readonly string[]): Promise<void> => {
    await app.write('version.ts', versionOf(version));
    await run('deploy', app.path, '--no-typecheck', ...args);
  };
  await deploy('1');
  return { server, app, data, deploy, run };
}

/** Ends with the test, too, which may fail before it has them end. */
function countingClients(t: TestContext, url: string): CountingClients {
  const clients = new CountingClients(url, RPS);
  t.after(() => clients.stop());
  return clients;
}

function assertNothingLost({ sent, failures, versions }: Counted, least: number): void {
  assert.deepEqual(failures, []);
  for (const [kind, count] of Object.entries(sent)) assert.ok(count > 0, `no ${kind} was sent`);
  assert.ok(versions.size >= least, `only the releases ${[...versions].join(', ')} have answered`);
}

test(`${DEPLOYS} deploys, ${ROLLBACKS} rollbacks, ${SWITCHES} mode switches and a restart at ${RPS} requests/s: none fails`, async (t) => {
  const { server, deploy, run } = await scene(t);
  const clients = countingClients(t, server.url);
  for (let i = 0; i < DEPLOYS; i++) {
    await deploy(String(i + 2));
    await clients.answered(BETWEEN);
  }
  for (let i = 0; i < ROLLBACKS; i++) {
    // Back, and forth again: five releases are kept, so that it cannot go back for ever.
    await run('rollback', ...(i % 2 === 0 ? [] : [String(DEPLOYS + 1)]), '--app', 'counted');
    await clients.answered(BETWEEN);
  }
  for (let i = 0; i < SWITCHES; i++) {
    const [component, mode] = SWITCHED[i % SWITCHED.length]!;
    await run('mode', component, mode, '--force', '--app', 'counted');
    await clients.answered(BETWEEN);
  }
  await run('restart');
  assert.equal(await server.exited, 0);
  await clients.answered(BETWEEN);
  await deploy('last');
  await clients.answered(BETWEEN);
  assertNothingLost(await clients.stop(), DEPLOYS + 2);
});

test('a socket that is held by the service manager: servers end and start, none fails', async (t) => {
  const socket = heldSocket(t);
  const { server: first, data } = await scene(t, socket);
  const clients = countingClients(t, first.url);
  let server = first;
  for (let i = 0; i < (FULL ? 5 : 1); i++) {
    await clients.answered(BETWEEN);
    server.signal('SIGTERM');
    assert.equal(await server.exited, 0, server.output);
    server = await ServerProcess.start(t, { env: server.env, data, socket });
  }
  await clients.answered(BETWEEN);
  assertNothingLost(await clients.stop(), 1);
});

test('a canary takes its steps by itself, across a restart and a mode switch; one whose requests fail goes back', async (t) => {
  const { server, app, deploy, run } = await scene(t);
  const servingNow = async (): Promise<{ serving: number; canary: { step: number } | null }> =>
    ((await ask(server.env, 'GET', '/apps/counted')).body as { app: { serving: number; canary: null } }).app;
  const until = async (what: string, holds: () => Promise<boolean>): Promise<void> => {
    for (const begun = performance.now(); !(await holds()); await wait(50))
      assert.ok(performance.now() - begun < 40_000, `${what}: ${JSON.stringify(await servingNow())}`);
  };
  const clients = countingClients(t, server.url);
  await deploy('2', '--canary', '20%,60%', '--every', '3s', '--max-errors', '5%');
  assert.deepEqual((await servingNow()).serving, 1);
  await run('mode', 'sums', 'service', '--force', '--app', 'counted');
  await run('restart');
  assert.equal(await server.exited, 0);
  await until('the canary was not promoted', async () => (await servingNow()).serving === 2);
  assert.equal((await servingNow()).canary, null);
  assertNothingLost(await clients.stop(), 2);

  await app.write('sums.ts', `export function add(): number { throw new Error('out of numbers'); }`);
  await deploy('3', '--canary', '50%', '--every', '60s', '--max-errors', '10%');
  // Each request is another client, which has no cookie yet.
  const statuses = new Map<number, number>();
  await until('the canary did not go back', async () => {
    const { status, ...answer } = await fetch(server.url).then(async (found) => ({
      status: found.status,
      text: await found.text(),
    }));
    statuses.set(status, (statuses.get(status) ?? 0) + 1);
    void answer;
    return (await servingNow()).canary === null;
  });
  assert.equal((await servingNow()).serving, 2);
  assert.ok((statuses.get(500) ?? 0) > 0 && (statuses.get(200) ?? 0) > 0, JSON.stringify([...statuses]));
  const [last] = (await ask(server.env, 'GET', '/apps/counted/releases')).body as {
    state: string;
    failure: { message: string };
  }[];
  assert.equal(last!.state, 'failed');
  assert.match(last!.failure.message, /went back at 50 %: \d+ of \d+ requests failed/);
  for (let i = 0; i < 20; i++) assert.equal((await fetch(server.url)).status, 200);
});

test('a successor that cannot come up takes nothing over: the old server goes on', async (t) => {
  const { server, data, run } = await scene(t);
  const clients = countingClients(t, server.url);
  // The successor reads the key anew, and finds another than the one that the secrets are sealed with.
  const set = await ask(server.env, 'PUT', '/apps/counted/secrets/WORD', { value: 'kept' });
  assert.ok(set.status < 300);
  const key = `${data}/secrets.key`;
  const kept = readFileSync(key);
  writeFileSync(key, 'no key at all');
  const refused = await server.run('restart');
  assert.equal(refused.code, 1);
  assert.match(refused.stderr, /start-failed: The new server did not come up[^]*This one goes on/);
  writeFileSync(key, kept);
  await clients.answered(BETWEEN);
  await run('ps', '--app', 'counted');
  assertNothingLost(await clients.stop(), 1);
});
