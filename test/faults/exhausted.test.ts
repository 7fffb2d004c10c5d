import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { Agent, request } from 'node:http';
import { test, type TestContext } from 'node:test';
import { setTimeout as wait } from 'node:timers/promises';
import type { ComponentStatus } from '../../src/model/status.ts';
import { ask } from '../e2e/support/admin-api.ts';
import { appFolder } from '../e2e/support/app-folder.ts';
import { isolatedEnv } from '../e2e/support/fulcrum-process.ts';
import { dataFolder, ServerProcess } from '../e2e/support/server-process.ts';
import { ProcessGroup } from './support/process-group.ts';

/** One of each way in which an instance comes to be, each request a new one: a few are there ahead. And a service that needs none. */
const CONFIG = `
import { defineApp } from 'fulcrum';
const each = { mode: 'function', fresh: true, timeout: '60s' } as const;
export default defineApp({
  name: 'short',
  components: {
    forked: { ...each, entry: './hello.ts', routes: ['/forked'] },
    spawned: { ...each, entry: './spawned.ts', routes: ['/spawned'] },
    program: { ...each, command: 'node program.mjs', routes: ['/program'] },
    narrow: { ...each, entry: './hello.ts', routes: ['/narrow'], queue: 2 },
    steady: { entry: './hello.ts', routes: ['/steady'], mode: 'service' },
  },
});
`;
const HELLO = `export default { fetch: () => new Response('hello') };\n`;
const FILES = {
  'fulcrum.config.ts': CONFIG,
  'hello.ts': HELLO,
  // A timer at load time keeps it off the fork engine.
  'spawned.ts': `setInterval(() => undefined, 1_000_000);\n${HELLO}`,
  'program.mjs': `import { createServer } from 'node:http';
createServer((_, answer) => answer.end('hello')).listen(Number(process.env.PORT), '127.0.0.1');\n`,
};
/** How many are asked for at once: of forks a few may stand ready. */
const ON_DEMAND: Readonly<Record<string, number>> = { forked: 6, spawned: 2, program: 2 };
const NAMES = Object.keys(ON_DEMAND);

interface Answer {
  /** Null where the connection was closed without an answer. */
  readonly status: number | null;
  readonly text: string;
  readonly retryAfter: string | undefined;
}

function get(url: string, agent?: Agent): Promise<Answer> {
  return new Promise((resolve) => {
    const sent = request(url, { agent: agent ?? false }, (answer) => {
      let text = '';
      answer.setEncoding('utf8').on('data', (piece: string) => (text += piece));
      answer.on('close', () =>
        resolve({ status: answer.statusCode!, text, retryAfter: answer.headers['retry-after'] }),
      );
    });
    sent.on('error', () => resolve({ status: null, text: '', retryAfter: undefined }));
    sent.end();
  });
}

async function component(env: NodeJS.ProcessEnv, name: string): Promise<ComponentStatus> {
  const { body } = await ask(env, 'GET', '/apps/short/components');
  return (body as ComponentStatus[]).find((each) => each.name === name)!;
}

/** Looks until `met`; the test's own limit bounds it. */
async function until(met: () => Promise<boolean> | boolean): Promise<void> {
  while (!(await met())) await wait(20);
}

async function idle(env: NodeJS.ProcessEnv): Promise<void> {
  for (const name of [...NAMES, 'narrow'])
    await until(async () => (await component(env, name)).instances.length === 0);
}

async function serving(
  t: TestContext,
  start: (begin: () => ServerProcess) => ServerProcess,
): Promise<ServerProcess> {
  const [env, data] = [isolatedEnv(), dataFolder(t)];
  const server = start(() => ServerProcess.begin(t, { env, data }));
  await server.prints(/Fulcrum serves http.*\n.*pid \d+/);
  const app = await appFolder(t, FILES);
  const deployed = await server.run('deploy', app.path, '--no-typecheck');
  assert.equal(deployed.code, 0, deployed.stdout + deployed.stderr);
  for (const name of [...NAMES, 'narrow', 'steady'])
    assert.equal((await get(`${server.url}/${name}`)).text, 'hello');
  await idle(env);
  return server;
}

/** What holds while nothing can be started, and that all is well once `lift` has been called. */
async function withstands(
  t: TestContext,
  server: ServerProcess,
  agent: Agent,
  codes: RegExp,
  lift: () => void,
): Promise<void> {
  const { env, url } = server;
  const waiting = NAMES.map((name) =>
    Array.from({ length: ON_DEMAND[name]! }, () => get(`${url}/${name}`, agent)),
  );
  const narrow = Array.from({ length: 8 }, () => get(`${url}/narrow`, agent));
  for (const name of NAMES) {
    await until(async () => {
      const { decisions, queued } = await component(env, name);
      return queued > 0 && decisions.some(({ reason }) => codes.test(reason));
    });
  }
  // Another component's waiters are not in its way.
  assert.equal((await get(`${url}/steady`, agent)).text, 'hello');
  const liftedMs = performance.now();
  lift();
  for (const each of await Promise.all(waiting.flat()))
    assert.deepEqual([each.status, each.text], [200, 'hello']);
  // Nobody is refused for what the machine lacks, but by a queue that is full.
  const answers = await Promise.all(narrow);
  const refused = answers.filter(({ status }) => status !== 200);
  assert.ok(refused.length > 0 && refused.length < answers.length, JSON.stringify(answers));
  for (const { status, retryAfter } of refused) assert.deepEqual([status, retryAfter], [503, '1']);
  for (const name of [...NAMES, 'narrow', 'steady'])
    assert.equal((await get(`${url}/${name}`)).text, 'hello');
  t.diagnostic(`all is answered ${Math.round(performance.now() - liftedMs)} ms after there is room again`);
  assert.equal(server.pids.length, 1);
  process.kill(server.pid, 0);
}

const linux = { skip: process.platform !== 'linux' && 'the limits are those of Linux', timeout: 60_000 };

test(
  'no process can be forked: who waits goes on waiting, and is served once there is room again',
  linux,
  async (t) => {
    const group = ProcessGroup.make(t);
    if (group === null)
      return t.skip('the number of processes cannot be bounded here: that takes root and control groups');
    const server = await serving(t, (begin) => group.within(begin));
    const agent = new Agent({ keepAlive: true });
    t.after(() => agent.destroy());
    group.close();
    t.after(() => group.open());
    await withstands(t, server, agent, /^start failed: .*\(EAGAIN\)|did not come up/, () => group.open());
  },
);

test('no descriptor is left: the same, and new connections are closed', linux, async (t) => {
  const server = await serving(t, (begin) => begin());
  const { url, pid, env } = server;
  const agent = new Agent({ keepAlive: true, maxFreeSockets: 50 });
  const fillers: Agent[] = [];
  t.after(() => [agent, ...fillers].forEach((each) => each.destroy()));
  const limit = (soft: number): boolean =>
    spawnSync('prlimit', ['--pid', String(pid), `--nofile=${soft}:`]).status === 0;
  // Connections that are there already: the clients' that are asked about, and the one of the admin API.
  await component(env, 'steady');
  await Promise.all(Array.from({ length: 30 }, () => get(`${url}/steady`, agent)));
  const before = Number(/^Max open files\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/limits`, 'utf8'))![1]);
  const highest = Math.max(...readdirSync(`/proc/${pid}/fd`).map(Number));
  if (!limit(highest + 1)) return t.skip('prlimit(1) of util-linux is not here');
  t.after(() => limit(before));
  // What is left below that goes to connections, until one is closed without an answer.
  for (let closed = false; !closed;) {
    const filler = new Agent({ keepAlive: true });
    fillers.push(filler);
    closed = (await get(`${url}/steady`, filler)).status === null;
    assert.ok(fillers.length < 200, 'so many connections found a descriptor');
  }
  await withstands(t, server, agent, /^start failed: .*\(EMFILE\)/, () => void limit(before));
});
