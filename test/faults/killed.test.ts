import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { test, type TestContext } from 'node:test';
import { ask, stream } from '../e2e/support/admin-api.ts';
import { isolatedEnv } from '../e2e/support/fulcrum-process.ts';
import { dataFolder, ServerProcess } from '../e2e/support/server-process.ts';
import { countedApp, versionOf } from './support/counted-app.ts';

interface Step {
  readonly name: string;
  readonly state: string;
  readonly component: string | null;
}

/** Where the server is killed, and what may serve afterwards: the old release up to the moment at which the new one is written down. */
const ALL: readonly (readonly [string, readonly string[]])[] = [
  ['check begun', ['1']],
  ['check done', ['1']],
  ['keep done', ['1']],
  ['unpack begun', ['1']],
  ['unpack done', ['1']],
  ['start begun', ['1']],
  ['start done', ['1', '2']],
  ['route begun', ['1', '2']],
  ['route done', ['2']],
  ['drain begun', ['2']],
];

/** Where most has been done and least is finished; with FULCRUM_FULL=1 everywhere. */
const MOMENTS =
  process.env['FULCRUM_FULL'] === '1'
    ? ALL
    : ALL.filter(([moment]) => ['keep done', 'start begun', 'route begun', 'drain begun'].includes(moment));

async function version(url: string): Promise<string> {
  const answer = await fetch(url);
  return /version=(\S+)/.exec(await answer.text())?.[1] ?? `status ${answer.status}`;
}

test('a server that is killed at any step of a deploy serves as before when it is started again, and deploys', async (t: TestContext) => {
  const [env, data, app] = [isolatedEnv(), dataFolder(t), await countedApp(t)];
  let server = await ServerProcess.start(t, { env, data });
  const deploy = async (name: string): Promise<void> => {
    await app.write('version.ts', versionOf(name));
    const done = await server.run('deploy', app.path, '--no-typecheck');
    assert.equal(done.code, 0, done.stdout + done.stderr);
  };
  await deploy('1');
  await deploy('2');
  const second = (await ask(env, 'GET', '/apps/counted/releases/2')).body as { manifest: unknown };
  const order = { manifest: second.manifest, canary: null, routing: null, note: 'killed' };
  const back = await server.run('rollback', '1', '--app', 'counted');
  assert.equal(back.code, 0, back.stderr);

  for (const [moment, mayServe] of MOMENTS) {
    assert.equal(await version(server.url), '1');
    const seen: string[] = [];
    await assert.rejects(
      stream(env, 'POST', '/apps/counted/deploys', order, (line) => {
        const { step } = line as { step?: Step };
        if (step === undefined) return;
        const { name, state, component } = step;
        seen.push(`${name} ${state}`);
        if (component === null && `${name} ${state}` === moment) server.signal('SIGKILL');
      }),
      `the deploy went on beyond '${moment}'`,
    );
    // Steps that took no time may have come together with it.
    assert.ok(seen.includes(moment), seen.join(', '));
    await server.exited;
    server = await ServerProcess.start(t, { env, data });
    const serves = await version(server.url);
    assert.ok(mayServe.includes(serves), `killed at '${moment}', ${serves} serves`);
    const releases = (await ask(env, 'GET', '/apps/counted/releases')).body as { state: string }[];
    assert.ok(
      releases.every(({ state }) => state !== 'uploaded'),
      `killed at '${moment}', a release is unfinished`,
    );
    // The next deploy works, and what it left is tidied up.
    await deploy('1');
    assert.equal(await version(server.url), '1');
    const trees = readdirSync(`${data}/apps/counted/releases`);
    assert.ok(
      trees.every((name) => /^\d+$/.test(name)),
      trees.join(', '),
    );
  }
});

test('of two servers on one data folder the second is refused, and a lock that was left counts for nothing', async (t) => {
  const [env, data] = [isolatedEnv(), dataFolder(t)];
  const first = await ServerProcess.start(t, { env, data });
  const second = ServerProcess.begin(t, { env, data });
  assert.equal(await second.exited, 1);
  assert.match(second.output, new RegExp(`conflict: Another Fulcrum server \\(pid ${first.pid}\\) runs on`));
  first.signal('SIGKILL');
  await first.exited;
  assert.match(readFileSync(`${data}/server.lock`, 'utf8'), new RegExp(String(first.pid)));
  const third = await ServerProcess.start(t, { env, data });
  third.signal('SIGTERM');
  assert.equal(await third.exited, 0);
  assert.ok(!readdirSync(data).includes('server.lock'));
});
