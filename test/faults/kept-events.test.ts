import assert from 'node:assert/strict';
import { setTimeout as wait } from 'node:timers/promises';
import { test } from 'node:test';
import { appFolder } from '../e2e/support/app-folder.ts';
import { isolatedEnv } from '../e2e/support/fulcrum-process.ts';
import { dataFolder, ServerProcess } from '../e2e/support/server-process.ts';

const DOOR = `
  import { readFileSync } from 'node:fs';
  export default { async fetch(request, env) {
    const { pathname, searchParams } = new URL(request.url);
    if (pathname === '/seen') {
      try { return new Response(readFileSync('kept/seen')); } catch { return new Response(''); }
    }
    const [from, to] = [Number(searchParams.get('from')), Number(searchParams.get('to'))];
    for (let i = from; i < to; i++) await env.events.publish('order.paid', i, { key: i % 3 === 0 ? 'k' : undefined });
    return new Response('published');
  } };`;

/** Each message takes a while and is written down when it is done with. */
const WORKER = `
  import { appendFileSync } from 'node:fs';
  export default { async queue(batch) {
    for (const { data, key, attempt } of batch.messages) {
      await new Promise((resolve) => setTimeout(resolve, 40));
      appendFileSync('kept/seen', JSON.stringify({ data, key, attempt }) + '\\n');
    }
  } };
  export const version = 'VERSION';`;

interface Seen {
  readonly data: number;
  readonly key: string | null;
  readonly attempt: number;
}

test('a deploy, a switch of the mode, a hand-over and a kill in the middle of batches lose no event, and only the kill repeats any', async (t) => {
  const app = await appFolder(t, {
    'fulcrum.config.ts': `
      import { defineApp } from 'fulcrum';
      export default defineApp({ name: 'kept', components: {
        door: { entry: './door.ts', routes: ['/*'], mode: 'service', storage: ['./kept'] },
        worker: { entry: './worker.ts', storage: ['./kept'], events: { types: ['order.*'], batch: { size: 4 } } },
      } });`,
    'door.ts': DOOR,
    'worker.ts': WORKER,
  });
  const [env, data] = [isolatedEnv(), dataFolder(t)];
  let server = await ServerProcess.start(t, { env, data });
  const run = async (...args: readonly string[]): Promise<void> => {
    const done = await server.run(...args);
    assert.equal(done.code, 0, done.stdout + done.stderr);
  };
  const seen = async (): Promise<Seen[]> => {
    const text = await (await fetch(`${server.url}/seen`)).text();
    return text
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => JSON.parse(line) as Seen);
  };
  const sees = async (count: number): Promise<void> => {
    while (new Set((await seen()).map((one) => one.data)).size < count) await wait(20);
  };
  let published = 0;
  const publish = async (count: number): Promise<void> => {
    const to = published + count;
    assert.equal((await fetch(`${server.url}/publish?from=${published}&to=${to}`)).status, 200);
    published = to;
  };
  await run('deploy', app.path, '--no-typecheck');

  await publish(60);
  await app.write('worker.ts', WORKER.replace('VERSION', '2'));
  await run('deploy', app.path, '--no-typecheck');
  await publish(60);
  await run('mode', 'worker', 'service', '--force', '--app', 'kept');
  await publish(60);
  await run('restart');
  assert.equal(await server.exited, 0);
  await publish(30);
  await sees(published);
  const before = await seen();
  assert.equal(before.length, published, 'some were delivered twice, and nothing had been killed');
  assert.deepEqual(new Set(before.map(({ attempt }) => attempt)), new Set([1]));
  const keyed = before.filter(({ key }) => key === 'k').map((one) => one.data);
  assert.deepEqual(
    keyed,
    keyed.toSorted((a, b) => a - b),
    'what has one key came out of order',
  );

  await publish(60);
  const killed = server.pids.at(-1)!;
  server.signal('SIGKILL');
  while (isAlive(killed)) await wait(5);
  server = await ServerProcess.start(t, { env, data });
  await sees(published);
  const all = await seen();
  // A second time only what was published last may come, and of it each once more.
  const again = all.map((one) => one.data).filter((data, i, every) => every.indexOf(data) < i);
  assert.equal(new Set(again).size, again.length, 'one kill repeated something twice');
  assert.deepEqual(
    again.filter((data) => data < published - 90),
    [],
    'what was done with long before the kill came again',
  );
});

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}
