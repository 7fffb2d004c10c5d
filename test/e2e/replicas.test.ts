import assert from 'node:assert/strict';
import { once } from 'node:events';
import { test, type TestContext } from 'node:test';
import { WebSocket } from 'ws';
import { FakeClock } from '../../src/base/fake-clock.ts';
import { startApp, type TestApp } from '../../src/testing/index.ts';
import { appFolder, config } from './support/app-folder.ts';
import { DevProcess, fulcrum, isolatedEnv } from './support/fulcrum-process.ts';

/** Tells which replica it is; one that is told to breaks, for all that it is asked from then on. */
const WEB = `
  let broken = false;
  const encoder = new TextEncoder();
  export default {
    async fetch(request) {
      const { pathname } = new URL(request.url);
      if (pathname === '/break') broken = true;
      // It never ends by itself: whoever asked has it in flight for as long as they like.
      if (pathname === '/hold') return new Response(new ReadableStream({ start: (c) => c.enqueue(encoder.encode(String(process.pid))) }));
      return new Response(String(process.pid), { status: broken ? 500 : 200 });
    },
    websocket: () => ({ open: (socket) => socket.send(String(process.pid)) }),
  };`;

function folder(t: TestContext, settings: string): ReturnType<typeof appFolder> {
  return appFolder(t, {
    'fulcrum.config.ts': config(
      `{ web: { entry: './web.js', routes: ['/*'], mode: 'service', ${settings} } }`,
    ),
    'web.js': WEB,
  });
}

/** Reads again and again, for as long as it takes, what a process of its own changes. */
async function until<T>(read: () => Promise<T>, holds: (value: T) => boolean): Promise<T> {
  for (;;) {
    const value = await read();
    if (holds(value)) return value;
    await new Promise((resolve) => void setImmediate(resolve));
  }
}

async function readyOf(app: TestApp): Promise<readonly string[]> {
  const [web] = await app.status();
  return web!.instances.filter(({ state }) => state === 'ready').map(({ reason }) => reason);
}

/** Invocations that wait or are at work. */
async function busyOf(app: TestApp): Promise<number> {
  const [web] = await app.status();
  return web!.queued + web!.instances.reduce((sum, one) => sum + one.inFlight, 0);
}

test('a service grows while requests wait, answers all of them, and shrinks when a minute has gone by', async (t) => {
  const clock = new FakeClock();
  const { path } = await folder(t, 'replicas: { min: 1, max: 3 }, concurrency: 2');
  const app = await startApp({ directory: path, clock });
  t.after(() => app.close());
  const leave = new AbortController();
  const held = Array.from({ length: 6 }, () => app.fetch('/hold', { signal: leave.signal }));
  await until(
    () => busyOf(app),
    (many) => many === 6,
  );
  assert.equal((await readyOf(app)).length, 1);
  await clock.advance(2_000);
  const answers = await Promise.all(held);
  const pids = await Promise.all(
    answers.map(async ({ status, body }) => {
      assert.equal(status, 200);
      const { value } = await body!.getReader().read();
      return Buffer.from(value ?? []).toString();
    }),
  );
  assert.equal(new Set(pids).size, 3, 'who waited was given to those that started');
  const reasons = await readyOf(app);
  assert.equal(reasons.length, 3);
  assert.match(reasons[2]!, /^load [\d.]+ of 1\.4: \d replicas wanted, 3 for now \(panic\)$/);
  leave.abort();
  await until(
    () => busyOf(app),
    (many) => many === 0,
  );
  for (let s = 0; s < 130; s += 2) await clock.advance(2_000);
  await until(
    () => readyOf(app),
    (all) => all.length === 1,
  );
  // Told when their processes are gone.
  const ends = await until(
    async () => app.logs('web').flatMap(({ text }) => (/ ended: (.*)/.exec(text) ?? []).slice(1)),
    (all) => all.length === 2,
  );
  // Either may be gone first.
  assert.deepEqual(ends.toSorted(), [
    'load 0 of 2.8: 0 replicas wanted, 1 for now',
    'load 0 of 4.2: 0 replicas wanted, 2 for now',
  ]);
});

test('clients keep to their replica by a cookie, over HTTP and WebSockets', async (t) => {
  const { path } = await folder(t, "replicas: 2, affinity: 'cookie'");
  const app = await startApp({ directory: path });
  t.after(() => app.close());
  const ask = async (cookie: string): Promise<string> =>
    (await app.fetch('/', { headers: { cookie } })).text();
  const seen = new Set<string>();
  let cookie = '';
  for (let i = 0; i < 40; i++) {
    const response = await app.fetch('/');
    const [line] = response.headers.getSetCookie();
    assert.match(line!, /^fulcrum-affinity=[\w-]{22}; Path=\/; HttpOnly; SameSite=Lax$/);
    cookie = line!.split(';')[0]!;
    const pid = await response.text();
    seen.add(pid);
    assert.equal(await ask(cookie), pid);
  }
  assert.equal(seen.size, 2, 'of forty clients some are given to each');

  const home = await ask(cookie);
  const ws = new WebSocket(app.url.replace('http', 'ws'), { headers: { cookie } });
  const [greeting] = (await once(ws, 'message')) as [Buffer];
  assert.equal(greeting.toString(), home);
  ws.terminate();
  const fresh = new WebSocket(app.url.replace('http', 'ws'));
  const [[{ headers }], [own]] = (await Promise.all([once(fresh, 'upgrade'), once(fresh, 'message')])) as [
    [{ headers: { 'set-cookie': string[] } }],
    [Buffer],
  ];
  assert.equal(await ask(headers['set-cookie'][0]!.split(';')[0]!), own.toString());
  fresh.terminate();
  await app.mode('web', 'function');
  assert.deepEqual((await app.fetch('/')).headers.getSetCookie(), []);
});

test('a replica that has become bad is ejected: `fulcrum ps` shows it, and the log tells why', async (t) => {
  const env = isolatedEnv();
  const { path } = await folder(t, 'replicas: 3');
  const dev = await DevProcess.start(t, env, path);
  const bad = await (await fetch(`${dev.url}/break`)).text();
  let failed = 0;
  for (let i = 0; i < 20; i++) {
    // Several at a time, so that every replica is given some.
    const answers = await Promise.all([1, 2, 3].map(() => fetch(dev.url)));
    for (const answer of answers) if (answer.status === 500) failed++;
    await Promise.all(answers.map((answer) => answer.text()));
  }
  assert.ok(failed >= 4 && failed <= 10, `${failed} failed`);
  const ps = await fulcrum(env, ['ps', '--app', path, '--json']);
  assert.equal(ps.code, 0, ps.stderr);
  const all = JSON.parse(ps.stdout) as {
    components: { instances: { pid: number; ejectedForMs: number | null }[] }[];
  };
  for (const { pid, ejectedForMs } of all.components[0]!.instances) {
    assert.equal(ejectedForMs !== null, String(pid) === bad);
  }
  const logs = await fulcrum(env, ['logs', '--app', path]);
  assert.match(logs.stdout, /is ejected for 30s: 5 failures in a row, the last one status 500/);
});
