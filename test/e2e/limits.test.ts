import assert from 'node:assert/strict';
import { once } from 'node:events';
import { request as plainRequest, type IncomingMessage } from 'node:http';
import { constants, connect as http2Connect, type ClientHttp2Session } from 'node:http2';
import { setTimeout as wait } from 'node:timers/promises';
import { text as textOf } from 'node:stream/consumers';
import { test } from 'node:test';
import { WebSocket } from 'ws';
import { writeCertificate } from '../../src/gateway/testing/test-certificate.ts';
import { FakeClock, startApp, type TestApp } from '../../src/testing/index.ts';
import type { ComponentStatus } from '../../src/model/status.ts';
import { ask } from './support/admin-api.ts';
import { appFolder, config } from './support/app-folder.ts';
import { DevProcess, fulcrum, isolatedEnv } from './support/fulcrum-process.ts';
import { dataFolder, ServerProcess } from './support/server-process.ts';

/** Whoever passes waits until it is opened; state of its own, so one replica of a service. */
const GATE = `
  let passed = 0;
  let opened = Promise.withResolvers<void>();
  export async function pass() { passed += 1; await opened.promise; }
  export default {
    fetch(request: Request) {
      const { pathname } = new URL(request.url);
      if (pathname === '/gate/open') opened.resolve();
      if (pathname === '/gate/close') { passed = 0; opened = Promise.withResolvers<void>(); }
      return new Response(String(passed));
    },
  };`;

/** Waits at the gate before it answers. */
const WAITS = `
  import { use } from 'fulcrum';
  const gate = use<typeof import('./gate.ts')>('gate');
  export async function work() { await gate.pass(); return 'done'; }
  export default { async fetch() { return new Response(await work()); } };`;

const PLAIN = `export default { fetch: () => new Response('here') };`;

async function until(what: string, holds: () => Promise<boolean>): Promise<void> {
  for (const begun = performance.now(); !(await holds()); await wait(5)) {
    assert.ok(performance.now() - begun < 30_000, `not within 30 s: ${what}`);
  }
}

interface Told {
  readonly status: number;
  readonly code: string | null;
  readonly retryAfter: string | null;
  readonly detail: string;
}

async function told(answer: Response): Promise<Told> {
  const text = await answer.text();
  const isProblem = answer.headers.get('content-type') === 'application/problem+json';
  const { type, detail } = isProblem
    ? (JSON.parse(text) as { type: string; detail: string })
    : { type: null, detail: text };
  return {
    status: answer.status,
    code: type === null ? null : type.split('/').at(-1)!,
    retryAfter: answer.headers.get('retry-after'),
    detail,
  };
}

async function statusOf(app: TestApp, name: string): Promise<ComponentStatus> {
  return (await app.status()).find((each) => each.name === name)!;
}

const HERE = { status: 200, code: null, retryAfter: null, detail: 'here' };

test('each limit has its status, code and Retry-After, is over when it says, and is nobody else’s', async (t) => {
  const folder = await appFolder(t, {
    'fulcrum.config.ts': config(
      `{
        rated: { entry: './plain.ts', routes: ['/rated'], limits: { rps: 0.2, burst: 2 } },
        clients: { entry: './plain.ts', routes: ['/clients'], mode: 'service', limits: { perClient: { rps: 1, burst: 2 } } },
        narrow: { entry: './waits.ts', routes: ['/narrow'], limits: { concurrency: 2 } },
        off: { entry: './plain.ts', routes: ['/off'], limits: { concurrency: 0 } },
        room: { entry: './room.ts', routes: ['/room'], mode: 'service', limits: { rps: 1, burst: 1 } },
        gate: { entry: './gate.ts', routes: ['/gate/*'], mode: 'service' },
      }`,
      `trustedProxies: ['127.0.0.1'],`,
    ),
    'plain.ts': PLAIN,
    'gate.ts': GATE,
    'waits.ts': WAITS,
    'room.ts': `
      export default { websocket: () => ({ open: (socket) => socket.send('in') }) };`,
  });
  const clock = new FakeClock();
  await using app = await startApp({ directory: folder.path, clock });
  const ask = async (path: string, client?: string): Promise<Told> =>
    told(await app.fetch(path, client === undefined ? {} : { headers: { 'x-forwarded-for': client } }));

  await t.test('rps: the whole time of the bucket', async () => {
    assert.deepEqual([await ask('/rated'), await ask('/rated')], [HERE, HERE]);
    const refused = await ask('/rated');
    assert.deepEqual([refused.status, refused.code, refused.retryAfter], [429, 'rate-limited', '5']);
    assert.match(refused.detail, /"rated" takes 0\.2 invocations per second, 2 of them at once.*limits\.rps/);
    assert.equal((await ask('/gate/')).status, 200, 'its neighbours serve as ever');
    await clock.advance(5_000);
    assert.deepEqual(await ask('/rated'), HERE);
    const byHand = await app.invoke('rated', { kind: 'scheduled' });
    assert.deepEqual([byHand.outcome, byHand.error?.code], ['refused', 'rate-limited']);
  });

  await t.test('perClient: one client is refused, and another served', async () => {
    const mine = '203.0.113.9';
    assert.deepEqual([await ask('/clients', mine), await ask('/clients', mine)], [HERE, HERE]);
    const refused = await ask('/clients', mine);
    assert.deepEqual([refused.status, refused.code, refused.retryAfter], [429, 'rate-limited', '1']);
    assert.match(refused.detail, /of one client.*limits\.perClient/);
    assert.equal((await ask('/clients', `198.51.100.7, ${mine}`)).status, 429, 'whoever it says that it was');
    assert.deepEqual(await ask('/clients', '198.51.100.7'), HERE);
    assert.deepEqual(await ask('/clients', '2001:db8::1'), HERE);
    assert.deepEqual(await ask('/clients', '2001:db8::2'), HERE);
    assert.equal((await ask('/clients', '2001:db8::3')).status, 429, 'a /64 is one client');
    await clock.advance(1_000);
    assert.deepEqual(await ask('/clients', mine), HERE);
  });

  await t.test('concurrency: what is more than so many at a time', async () => {
    await ask('/gate/close');
    const working = [ask('/narrow'), ask('/narrow')];
    await until('both are at the gate', async () => (await ask('/gate/')).detail === '2');
    const refused = await ask('/narrow');
    assert.deepEqual([refused.status, refused.code, refused.retryAfter], [429, 'rate-limited', '1']);
    assert.match(refused.detail, /as many invocations as it may at a time: 2 \(limits\.concurrency\)/);
    await assert.rejects(app.call('narrow', 'work'), { code: 'rate-limited' });
    await ask('/gate/open');
    assert.deepEqual(
      (await Promise.all(working)).map(({ status }) => status),
      [200, 200],
    );
    assert.equal((await ask('/narrow')).status, 200);
  });

  await t.test('a concurrency of 0: switched off', async () => {
    const refused = await ask('/off');
    assert.deepEqual([refused.status, refused.code, refused.retryAfter], [429, 'switched-off', '30']);
    assert.match(refused.detail, /fulcrum limits off --on/);
    assert.deepEqual((await statusOf(app, 'off')).instances, []);
  });

  await t.test('a WebSocket counts as what it is, an invocation', async () => {
    const open = async (): Promise<number> => {
      const ws = new WebSocket(`${app.url.replace('http', 'ws')}/room`);
      t.after(() => ws.terminate());
      const opened = once(ws, 'open').then(() => 101);
      const refused = once(ws, 'unexpected-response').then((all) => (all as [unknown, IncomingMessage])[1]);
      const answer = await Promise.race([opened, refused]);
      opened.catch(() => undefined);
      refused.catch(() => undefined);
      if (typeof answer === 'number') return answer;
      assert.equal(answer.headers['retry-after'], '1');
      return answer.statusCode!;
    };
    assert.deepEqual([await open(), await open()], [101, 429]);
  });

  await t.test('usage and the access log have every refusal, and the status counts them', async () => {
    const { limits, lastMinute } = await statusOf(app, 'off');
    assert.deepEqual([limits!.refused, limits!.configured.concurrency, limits!.chosen], [1, 0, null]);
    assert.deepEqual([lastMinute!.count, lastMinute!.failed], [1, 1]);
    const lines = app.logs('off').filter(({ fields }) => fields?.['status'] === 429);
    assert.equal(lines.length, 1);
    assert.equal(lines[0]!.fields!['error'], 'switched-off');
  });
});

test('overload: a full queue and time that is over before an instance was free are 503 with Retry-After', async (t) => {
  const folder = await appFolder(t, {
    'fulcrum.config.ts': config(`{
      busy: { entry: './waits.ts', routes: ['/busy'], max: 1, queue: 1, timeout: '10s' },
      gate: { entry: './gate.ts', routes: ['/gate/*'], mode: 'service', timeout: '10m' },
    }`),
    'gate.ts': GATE,
    'waits.ts': WAITS,
  });
  const clock = new FakeClock();
  await using app = await startApp({ directory: folder.path, clock });
  const ask = async (path: string): Promise<Told> => told(await app.fetch(path));
  const working = ask('/busy');
  await until('it is at the gate', async () => (await ask('/gate/')).detail === '1');
  const waiting = ask('/busy');
  await until('another waits', async () => (await statusOf(app, 'busy')).queued === 1);
  const full = await ask('/busy');
  assert.deepEqual([full.status, full.code, full.retryAfter], [503, 'overloaded', '1']);
  await clock.advance(6_000);
  // One waits, and in six seconds none was served.
  assert.equal((await ask('/busy')).retryAfter, '5');
  await clock.advance(4_050);
  const [late, never] = await Promise.all([working, waiting]);
  assert.deepEqual([late.status, late.code, late.retryAfter], [504, 'timeout', null]);
  assert.deepEqual([never.status, never.code], [503, 'overloaded']);
  assert.ok(Number(never.retryAfter) >= 1 && Number(never.retryAfter) <= 30);
  assert.match(never.detail, /was not begun/);
  assert.equal((await ask('/gate/')).detail, '1', 'the second was never begun');
});

/** Sends one request; `leave` is what a client does that goes away. */
interface Sent {
  readonly status: Promise<number>;
  leave(): void;
}

function overHttp1(url: string): Sent {
  const sent = plainRequest(url, { agent: false });
  const status = (once(sent, 'response') as Promise<[IncomingMessage]>).then(async ([answer]) => {
    await textOf(answer);
    return answer.statusCode!;
  });
  status.catch(() => undefined);
  sent.on('error', () => undefined);
  sent.end();
  return { status, leave: () => void sent.destroy() };
}

function overHttp2(session: ClientHttp2Session, path: string): Sent {
  const sent = session.request({ ':path': path });
  const status = once(sent, 'response').then(async ([head]) => {
    await textOf(sent);
    return (head as { ':status': number })[':status'];
  });
  status.catch(() => undefined);
  sent.on('error', () => undefined);
  return { status, leave: () => sent.close(constants.NGHTTP2_CANCEL) };
}

const RETRIES = 50;

test(`of a client that asks, goes away and asks again, ${RETRIES} times, nothing is begun that nobody waits for`, async (t) => {
  const data = dataFolder(t);
  const { certPath, keyPath, cert } = await writeCertificate(dataFolder(t), { names: ['a.test'] });
  const server = await ServerProcess.start(t, {
    env: isolatedEnv(),
    data,
    args: ['--tls-port', '0', '--tls-cert', certPath, '--tls-key', keyPath, '--no-redirect'],
  });
  const folder = await appFolder(t, {
    'fulcrum.config.ts': config(`{
      busy: { entry: './waits.ts', routes: ['/busy'], max: 1 },
      caller: { entry: './caller.ts', routes: ['/caller'], mode: 'service' },
      gate: { entry: './gate.ts', routes: ['/gate/*'], mode: 'service' },
    }`),
    'gate.ts': GATE,
    'waits.ts': WAITS,
    'caller.ts': `
      import { use } from 'fulcrum';
      const busy = use<typeof import('./waits.ts')>('busy');
      export default { async fetch() { return new Response(await busy.work()); } };`,
  });
  const deployed = await server.run('deploy', folder.path, '--no-typecheck');
  assert.equal(deployed.code, 0, deployed.stdout + deployed.stderr);
  const urls = [...server.output.matchAll(/https?:\/\/\S+:\d+/g)].map(([url]) => url);
  const plain = urls.find((url) => url.startsWith('http:'))!.replace('localhost', '127.0.0.1');
  const secure = urls.find((url) => url.startsWith('https:'))!.replace('localhost', '127.0.0.1');
  const gate = async (what = ''): Promise<number> =>
    Number(await (await fetch(`${plain}/gate/${what}`)).text());
  const queued = async (): Promise<number> => {
    const { body } = await ask(server.env, 'GET', '/apps/test/components/busy');
    return (body as ComponentStatus).queued;
  };
  const session = http2Connect(secure, { ca: cert, servername: 'a.test' });
  t.after(() => session.destroy());

  const ways: [what: string, send: () => Sent][] = [
    ['over HTTP/1.1', () => overHttp1(`${plain}/busy`)],
    ['over HTTP/2', () => overHttp2(session, '/busy')],
    ['by a call of another component', () => overHttp1(`${plain}/caller`)],
  ];
  for (const [what, send] of ways) {
    await t.test(what, async () => {
      await gate('close');
      const first = send();
      await until('the first is at the gate', async () => (await gate()) === 1);
      for (let i = 0; i < RETRIES; i++) {
        const impatient = send();
        await until('it waits', async () => (await queued()) === 1);
        impatient.leave();
        await until('it waits no more', async () => (await queued()) === 0);
      }
      const last = send();
      await until('the last waits', async () => (await queued()) === 1);
      await gate('open');
      assert.deepEqual(await Promise.all([first.status, last.status]), [200, 200]);
      assert.equal(await gate(), 2, 'the first and the last have been begun, and nothing else');
    });
  }
});

test('limits set by hand hold without a deploy, over deploys, modes and restarts, until the config says something else', async (t) => {
  const [env, data] = [isolatedEnv(), dataFolder(t)];
  const args = ['--trusted-proxy', '127.0.0.1'];
  let server = await ServerProcess.start(t, { env, data, args });
  const configOf = (limits: string): string =>
    config(`{
      shop: { entry: './plain.ts', routes: ['/shop'], limits: ${limits} },
      other: { entry: './plain.ts', routes: ['/other'], mode: 'service' },
    }`);
  const folder = await appFolder(t, {
    'fulcrum.config.ts': configOf('{ rps: 0.01, burst: 3 }'),
    'plain.ts': PLAIN,
  });
  const run = async (...words: string[]): Promise<string> => {
    const done = await server.run(...words);
    assert.equal(done.code, 0, done.stdout + done.stderr);
    return done.stdout;
  };
  const deploy = (): Promise<string> => run('deploy', folder.path, '--no-typecheck');
  const get = async (path: string, client = '198.51.100.1'): Promise<Told> =>
    told(await fetch(server.url + path, { headers: { 'x-forwarded-for': client } }));
  await deploy();
  assert.equal(await run('limits', 'shop', '--app', 'test'), 'shop: 0.01 per second (3 at once)\n');

  // A deploy and a switch of the mode give nobody a burst of their own.
  assert.equal((await get('/shop')).status, 200);
  await folder.write('plain.ts', PLAIN.replace('here', 'there'));
  await deploy();
  assert.equal((await get('/shop')).detail, 'there');
  await run('mode', 'shop', 'service', '--force', '--app', 'test');
  assert.equal((await get('/shop')).status, 200);
  const refused = await get('/shop');
  assert.equal(refused.status, 429);
  assert.ok(Number(refused.retryAfter) > 60, refused.retryAfter!);
  assert.equal((await get('/other')).status, 200);

  const set = await run(
    'limits',
    'shop',
    '--rps',
    'none',
    '--per-client',
    '0.01',
    '--per-client-burst',
    '2',
    '--app',
    'test',
    '--json',
  );
  const byHand = { rps: null, burst: null, perClient: { rps: 0.01, burst: 2 }, concurrency: null };
  assert.deepEqual((JSON.parse(set) as { chosen: unknown }).chosen, byHand);
  assert.deepEqual(
    [(await get('/shop')).status, (await get('/shop')).status, (await get('/shop')).status],
    [200, 200, 429],
  );
  assert.equal((await get('/shop', '198.51.100.2')).status, 200, 'another client');

  // The kill switch, and back: what was set by hand beside it stays.
  assert.match(await run('limits', 'shop', '--off', '--app', 'test'), /^shop: switched off\n/);
  const off = await get('/shop', '198.51.100.3');
  assert.deepEqual([off.status, off.code, off.retryAfter], [429, 'switched-off', '30']);
  assert.equal((await get('/other')).status, 200);
  assert.match(await run('ps', '--app', 'test'), /^shop: switched off by hand$/m);
  assert.match(await run('ps', '--app', 'test'), /^shop: 3 refused by limits in the last minute$/m);
  const { components } = JSON.parse(await run('ps', '--app', 'test', '--json')) as {
    components: ComponentStatus[];
  };
  const shown = components.find(({ name }) => name === 'shop')!;
  assert.deepEqual(shown.limits, {
    configured: { rps: 0.01, burst: 3, perClient: null, concurrency: null },
    chosen: { ...byHand, concurrency: 0 },
    refused: 3,
  });
  const lines = JSON.parse(await run('logs', 'shop', '--app', 'test', '--json')) as {
    text: string;
    fields: { status?: number } | null;
  }[];
  assert.equal(lines.filter(({ fields }) => fields?.status === 429).length, 3);
  assert.ok(lines.some(({ text }) => text === 'limits set by hand: switched off'));
  assert.match(await run('audit', '--app', 'test'), /limits\.set/);

  // It outlives the process, and a release that does not touch the limits.
  server.signal('SIGTERM');
  assert.equal(await server.exited, 0, server.output);
  server = await ServerProcess.start(t, { env, data, args });
  assert.equal((await get('/shop', '198.51.100.3')).code, 'switched-off');
  await folder.write('plain.ts', PLAIN);
  await deploy();
  assert.equal((await get('/shop', '198.51.100.3')).code, 'switched-off');
  assert.match(
    await run('limits', 'shop', '--on', '--app', 'test'),
    /^shop: 0\.01 per second \(2 at once\) of one client\n/,
  );
  assert.deepEqual(await get('/shop', '198.51.100.3'), HERE);
  assert.match(
    await run('limits', 'shop', '--reset', '--app', 'test'),
    /^shop: 0\.01 per second \(3 at once\)\n/,
  );

  // The config's own new word ends a choice.
  await run('limits', 'shop', '--off', '--app', 'test');
  await folder.write('fulcrum.config.ts', configOf('{ concurrency: 7 }'));
  await deploy();
  assert.deepEqual(await get('/shop'), HERE);
  assert.match(await run('limits', 'shop', '--app', 'test'), /^shop: 7 at a time\n/);
});

test('fulcrum dev has the kill switch too, and it stays over a reload', async (t) => {
  const env = isolatedEnv();
  const folder = await appFolder(t, {
    'fulcrum.config.ts': config(`{ shop: { entry: './plain.ts', routes: ['/*'] } }`),
    'plain.ts': PLAIN,
  });
  const dev = await DevProcess.start(t, env, folder.path);
  const limits = (...words: string[]) => fulcrum(env, ['limits', 'shop', ...words, '--app', folder.path]);
  assert.match((await limits('--off')).stdout, /^shop: switched off\n/);
  assert.equal((await told(await fetch(dev.url))).code, 'switched-off');
  const from = dev.output.length;
  await folder.write('plain.ts', PLAIN.replace('here', 'there'));
  await dev.prints(/reload|changed|restarted/i, from);
  assert.equal((await told(await fetch(dev.url))).code, 'switched-off');
  await limits('--on');
  await until('it serves again', async () => (await told(await fetch(dev.url))).detail === 'there');
});
