import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { setTimeout as wait } from 'node:timers/promises';
import { test, type TestContext } from 'node:test';
import { appFolder } from '../e2e/support/app-folder.ts';
import { isolatedEnv } from '../e2e/support/fulcrum-process.ts';
import { dataFolder, ServerProcess } from '../e2e/support/server-process.ts';

/** Its second start takes a moment, so that there is a while in which the successor prepares. */
const APP = {
  'fulcrum.config.ts': `
    import { defineApp } from 'fulcrum';
    export default defineApp({
      name: 'slow',
      components: { web: { entry: './web.ts', routes: ['/*'], mode: 'service', storage: ['./kept'] } },
    });`,
  'web.ts': `
    import { appendFileSync, readFileSync } from 'node:fs';
    appendFileSync('kept/starts', 'x');
    const starts = readFileSync('kept/starts').length;
    if (starts > 1) await new Promise((resolve) => setTimeout(resolve, 1500));
    export default { fetch: () => new Response('start ' + starts) };`,
};

async function until<T>(what: string, found: () => T | null): Promise<T> {
  for (const begun = performance.now(); ; await wait(5)) {
    const value = found();
    if (value !== null) return value;
    assert.ok(performance.now() - begun < 30_000, what);
  }
}

/** The `fulcrum serve` that `pid` has started; null where there is none. */
function successorOf(pid: number): number | null {
  for (const child of textOf(`/proc/${pid}/task/${pid}/children`).split(' ')) {
    const command = child === '' ? '' : textOf(`/proc/${child}/cmdline`);
    if (command.includes('\0serve\0')) return Number(child);
  }
  return null;
}

function textOf(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}

/** Whether the process is there and no zombie. */
function runs(pid: number): boolean {
  const stat = textOf(`/proc/${pid}/stat`);
  return stat !== '' && !/\) Z /.test(stat);
}

async function scene(t: TestContext): Promise<{ server: ServerProcess; data: string }> {
  const [env, data, app] = [isolatedEnv(), dataFolder(t), await appFolder(t, APP)];
  const server = await ServerProcess.start(t, { env, data });
  const done = await server.run('deploy', app.path, '--no-typecheck');
  assert.equal(done.code, 0, done.stdout + done.stderr);
  assert.equal(await (await fetch(server.url)).text(), 'start 1');
  return { server, data };
}

const MOMENTS: readonly (readonly [string, (data: string) => boolean])[] = [
  ['has just been started', () => true],
  ['brings its apps up', (data) => textOf(`${data}/apps/slow/storage/kept/starts`).length > 1],
];

for (const [moment, isThen] of MOMENTS) {
  test(`a server that is told to end while its successor ${moment} ends, and the successor with it`, async (t) => {
    const { server, data } = await scene(t);
    server.signal('SIGHUP');
    const successor = await until('there is no successor', () => successorOf(server.pid));
    t.after(() => runs(successor) && process.kill(successor, 'SIGKILL'));
    await until('its app was not started', () => (isThen(data) ? true : null));
    process.kill(server.pid, 'SIGTERM');
    assert.equal(await server.exited, 0, server.output);
    assert.equal(runs(successor), false, server.output);
    assert.equal(server.pids.length, 1, server.output);
    await assert.rejects(fetch(server.url));
    // Nobody has the data: it can be served from again.
    const again = await ServerProcess.start(t, { env: server.env, data });
    assert.match(await (await fetch(again.url)).text(), /^start \d$/);
  });
}

test('a successor that somebody ends takes nothing over: the server goes on, and says why', async (t) => {
  const { server } = await scene(t);
  server.signal('SIGHUP');
  const successor = await until('there is no successor', () => successorOf(server.pid));
  t.after(() => runs(successor) && process.kill(successor, 'SIGKILL'));
  process.kill(successor, 'SIGTERM');
  await server.prints(/error: the server could not be replaced: The new server did not come up: /);
  await until('the successor runs on', () => (runs(successor) ? null : true));
  assert.equal(await (await fetch(server.url)).text(), 'start 1');
});
