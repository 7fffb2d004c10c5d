import assert from 'node:assert/strict';
import { once } from 'node:events';
import { existsSync, mkdtempSync, rmSync, statSync } from 'node:fs';
import { request as httpRequest, type IncomingMessage } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { systemClock, type Clock } from '../base/clock.ts';
import { FakeClock } from '../base/fake-clock.ts';
import { silentLogger } from '../base/log.ts';
import { FakeHost } from './fixtures/fake-host.ts';
import { component, FakePort, group, logEntry } from './fixtures/fake-port.ts';
import { HEARTBEAT_MS } from './log-stream.ts';
import { ControlServer } from './server.ts';

const TOKEN = 'the-right-token';

function newServer(port: FakePort, clock: Clock): ControlServer {
  return new ControlServer({
    host: FakeHost.dev(port),
    clock,
    logger: silentLogger,
    ownToken: TOKEN,
    tokens: null,
    audit: null,
    secrets: null,
  });
}

/** The one app's path. */
const APP = '/v1/apps/shop@development';

interface Answer {
  status: number;
  headers: IncomingMessage['headers'];
  text: string;
  json: Record<string, unknown>;
}

interface Ask {
  method?: string;
  headers?: Record<string, string>;
  body?: string;
}

/** Plain node:http, for fetch would not let a test choose Host, Origin and Cookie. */
async function ask(
  where: { port: number } | { socketPath: string },
  path: string,
  options: Ask = {},
): Promise<Answer> {
  const sent = httpRequest({ ...where, host: '127.0.0.1', path, agent: false, ...options });
  sent.end(options.body);
  const [response] = (await once(sent, 'response')) as [IncomingMessage];
  let text = '';
  for await (const chunk of response.setEncoding('utf8')) text += chunk as string;
  const isJson = /json/.test(response.headers['content-type'] ?? '');
  const json = isJson ? (JSON.parse(text) as Record<string, unknown>) : {};
  return { status: response.statusCode!, headers: response.headers, text, json };
}

describe('the admin server', () => {
  const folder = mkdtempSync(join(tmpdir(), 'fulcrum-control-'));
  const socketPath = join(folder, 'c.sock');
  const port = new FakePort();
  const clock = new FakeClock();
  const server = newServer(port, clock);
  const bearer = { authorization: `Bearer ${TOKEN}` };
  const post = (value: unknown, headers: Record<string, string> = bearer): Ask => ({
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body: JSON.stringify(value),
  });
  let http: { port: number };

  before(async () => {
    const { url } = await server.listen({ httpPort: 0, host: '127.0.0.1', socketPath });
    http = { port: Number(new URL(url!).port) };
  });
  after(async () => {
    await server.close();
    rmSync(folder, { recursive: true });
  });

  test('over HTTP nothing is told without the token, and health alone needs none', async () => {
    const cookie = `fulcrum_admin=${TOKEN}`;
    const wrong: Record<string, string>[] = [{}, { authorization: 'Bearer wrong' }, { cookie }];
    for (const path of [
      APP,
      `${APP}/components`,
      `${APP}/logs`,
      `${APP}/components/catalog`,
      '/v1/nothing',
    ]) {
      for (const headers of wrong) {
        const answer = await ask(http, path, { headers });
        assert.equal(answer.status, 401, path);
        assert.equal(answer.json['code'], 'unauthorized');
        assert.ok(!answer.text.includes('catalog'));
      }
      assert.equal(
        (await ask(http, `${path}?token=${TOKEN}`)).status,
        401,
        'a token in the address is for / only',
      );
    }
    assert.deepEqual((await ask(http, '/v1/health')).json, { ok: true, api: 'fulcrum' });
  });

  test('with the token the app and its components are told', async () => {
    const app = await ask(http, APP, { headers: bearer });
    assert.equal(app.status, 200);
    assert.equal((app.json['status'] as { name: string }).name, 'shop');
    assert.equal(app.headers['cache-control'], 'no-store');
    const list = await ask(http, `${APP}/components`, { headers: bearer });
    assert.equal((list.json as unknown as unknown[]).length, port.list.length);
    const one = await ask(http, `${APP}/components/storefront`, { headers: bearer });
    assert.equal(one.json['mode'], 'service');
  });

  test('over the Unix socket no token is asked, and only the owner can open it', async () => {
    assert.equal(statSync(socketPath).mode & 0o777, 0o600);
    assert.equal((await ask({ socketPath }, APP)).status, 200);
    assert.equal((await ask({ socketPath }, APP, { headers: { host: 'whatever' } })).status, 200);
  });

  test('a foreign Host or Origin is refused before anything else, token or not', async () => {
    const refused: Record<string, string>[] = [
      { ...bearer, host: 'evil.example' },
      { ...bearer, host: `evil.example:${http.port}` },
      { ...bearer, origin: 'https://evil.example' },
      { ...bearer, origin: `http://127.0.0.1:${http.port + 1}` },
      { ...bearer, origin: 'null' },
    ];
    for (const headers of refused) {
      for (const path of [APP, '/v1/health', `/?token=${TOKEN}`]) {
        const answer = await ask(http, path, { headers });
        assert.equal(answer.status, 403, JSON.stringify(headers));
        assert.equal(answer.json['code'], 'forbidden');
        assert.equal(answer.headers['set-cookie'], undefined);
      }
    }
    const own = { ...bearer, host: `localhost:${http.port}`, origin: `http://localhost:${http.port}` };
    assert.equal((await ask(http, APP, { headers: own })).status, 200);
  });

  test('the printed link begins a session that only its own page can use', async () => {
    assert.equal((await ask(http, '/')).status, 401);
    assert.equal((await ask(http, '/?token=wrong')).status, 401);
    assert.equal((await ask(http, '/?token=wrong')).headers['set-cookie'], undefined);

    const link = new URL(server.link!);
    const opened = await ask(http, link.pathname + link.search);
    assert.equal(opened.status, 303);
    const path = opened.headers.location!;
    assert.match(path, /^\/s\/[0-9a-z]{26}\/$/);
    const cookie = opened.headers['set-cookie']![0]!;
    assert.match(cookie, new RegExp(`^fulcrum_admin=[\\w-]{43}; Path=${path}; HttpOnly; SameSite=Strict$`));
    assert.ok(!cookie.includes(TOKEN), 'the cookie is not the token');

    const session = { cookie: cookie.split(';')[0]! };
    const origin = `http://127.0.0.1:${http.port}`;
    const page = await ask(http, path, { headers: session });
    assert.equal(page.status, 200);
    assert.match(
      page.headers['content-security-policy'] as string,
      /default-src 'none'.*frame-ancestors 'none'/,
    );
    assert.equal((await ask(http, `${path}v1/apps/shop@development`, { headers: session })).status, 200);
    const switched = await ask(
      http,
      `${path}v1/apps/shop@development/components/catalog/mode`,
      post({ mode: 'function' }, { ...session, origin }),
    );
    assert.equal(switched.status, 200);

    const calls = port.asked.length;
    assert.equal((await ask(http, `${path}v1/apps/shop@development`)).status, 401, 'without the cookie');
    assert.equal((await ask(http, APP, { headers: session })).status, 401, 'outside the session’s path');
    assert.equal((await ask(http, '/s/guess/v1/app', { headers: session })).status, 401, 'in another path');
    const changes = `${path}v1/apps/shop@development/components/catalog/mode`;
    assert.equal((await ask(http, changes, post({ mode: 'service' }, session))).status, 403, 'no origin');
    const sibling = { ...session, 'sec-fetch-site': 'same-site' };
    assert.equal(
      (await ask(http, `${path}v1/apps/shop@development`, { headers: sibling })).status,
      403,
      'a page on another port',
    );
    assert.equal(port.asked.length, calls);
  });

  test('the mode is switched', async () => {
    const answer = await ask(http, `${APP}/components/catalog/mode`, post({ mode: 'service' }));
    assert.deepEqual(answer.json, { component: 'catalog', from: 'function', to: 'service', tookMs: 83.4 });
    assert.deepEqual(port.asked.at(-1), { setMode: 'catalog', mode: 'service' });
  });

  test('a group is listed and switched by its name, and is no component', async () => {
    const before = port.list;
    port.list = [
      ...before,
      component({ name: 'checkout', group: 'core' }),
      component({ name: 'inventory', group: 'core' }),
    ];
    port.groupList = [group()];
    const listed = await ask(http, `${APP}/groups`, { headers: bearer });
    assert.deepEqual(listed.json, [group()]);
    const switched = await ask(http, `${APP}/components/core/mode`, post({ mode: 'function' }));
    assert.deepEqual(switched.json, { component: 'core', from: 'service', to: 'function', tookMs: 83.4 });
    assert.deepEqual(port.asked.at(-1), { setMode: 'core', mode: 'function' });
    const checked = await ask(http, `${APP}/components/core/mode-check?mode=service`, { headers: bearer });
    assert.deepEqual([checked.status, checked.json['component']], [200, 'core']);
    const one = await ask(http, `${APP}/components/core`, { headers: bearer });
    assert.equal(one.status, 404);
    assert.match(
      String(one.json['detail']),
      /'core' is a group and no component\. Its members: checkout, inventory\./,
    );
    const invoked = await ask(http, `${APP}/components/core/invoke`, post({ kind: 'call', function: 'f' }));
    assert.equal(invoked.status, 404);
    const unknown = await ask(http, `${APP}/components/cores/mode`, post({ mode: 'function' }));
    assert.match(String(unknown.json['detail']), /Did you mean 'core'\?/);
    port.list = before;
    port.groupList = [];
  });

  test('what a switch would break is told, refused without force, and asked for by itself', async () => {
    const finding = {
      rule: 'timer',
      member: null,
      severity: 'warning',
      file: 'a.ts',
      line: 3,
      column: 1,
      lineText: 'setInterval(tick, 10);',
      message: 'The timer ends.',
      advice: 'Do without.',
    } as const;
    port.findings = [finding];
    const path = `${APP}/components/storefront/mode`;
    const refused = await ask(http, path, post({ mode: 'function' }));
    assert.equal(refused.status, 409);
    assert.deepEqual([refused.json['code'], refused.json['findings']], ['switch-unsafe', [finding]]);
    const checked = await ask(http, `${path}-check?mode=function`, { headers: bearer });
    assert.deepEqual(checked.json, {
      component: 'storefront',
      from: 'service',
      to: 'function',
      findings: [finding],
    });
    assert.equal((await ask(http, `${path}-check?mode=lambda`, { headers: bearer })).status, 400);
    const forced = await ask(http, path, post({ mode: 'function', force: true }));
    assert.equal(forced.status, 200);
    assert.deepEqual(port.asked.at(-1), { setMode: 'storefront', mode: 'function', force: true });
    port.findings = [];
  });

  test('input that is not valid is refused with a problem document that says why', async () => {
    const table: [string, Ask, number, RegExp][] = [
      [
        `${APP}/components/catalog/mode`,
        post({ mode: 'servce' }),
        400,
        /mode: .*"function"\|"service"\|"auto"/,
      ],
      [`${APP}/components/catalog/mode`, post({ mode: 'service', now: true }), 400, /now/],
      [`${APP}/components/catalog/mode`, { ...post(0), body: '{' }, 400, /not valid JSON/],
      [
        `${APP}/components/catalog/mode`,
        { ...post({ mode: 'service' }), headers: bearer },
        400,
        /Content-Type/,
      ],
      [
        `${APP}/components/catlog/mode`,
        post({ mode: 'service' }),
        404,
        /no component 'catlog'\. Did you mean 'catalog'\?/,
      ],
      [`${APP}/components/zzzzzz/mode`, post({ mode: 'service' }), 404, /There are: catalog, storefront/],
      [`${APP}/components/assets/mode`, post({ mode: 'service' }), 400, /static/],
      [`${APP}/components/catalog/invoke`, post({ kind: 'call' }), 400, /function/],
      [`${APP}/components/catalog/invoke`, post({ kind: 'queue', messages: [] }), 400, /messages/],
      [`${APP}/components/catalog/invoke`, post({ kind: 'fetch' }), 400, /kind/],
      [`${APP}/logs?level=loud`, { headers: bearer }, 400, /level/],
      [`${APP}/logs?limit=1e9`, { headers: bearer }, 400, /limit/],
      [`${APP}/logs?componnet=catalog`, { headers: bearer }, 400, /componnet/],
      ['/v1/nothing', { headers: bearer }, 404, /no such path/],
      [`${APP}/components/catalog/mode`, { headers: bearer }, 405, /takes POST/],
      [APP, post({}), 405, /takes GET/],
      ['/v1/stop', post({}), 404, /cannot be ended/],
    ];
    for (const [path, options, status, detail] of table) {
      const answer = await ask(http, path, options);
      assert.equal(answer.status, status, `${path} ${JSON.stringify(options)}: ${answer.text}`);
      assert.equal(answer.headers['content-type'], 'application/problem+json');
      assert.match(answer.json['detail'] as string, detail);
      assert.equal(answer.json['type'], `https://fulcrum.dev/errors/${String(answer.json['code'])}`);
    }
  });

  test('a body above 1 MB is refused, declared or not', async () => {
    const body = JSON.stringify({ kind: 'call', function: 'f', args: ['x'.repeat(1024 ** 2)] });
    const chunked = { ...bearer, 'content-type': 'application/json', 'transfer-encoding': 'chunked' };
    for (const headers of [{ ...bearer, 'content-type': 'application/json' }, chunked]) {
      const answer = await ask(http, `${APP}/components/catalog/invoke`, { method: 'POST', headers, body });
      assert.equal(answer.status, 413);
      assert.equal(answer.json['code'], 'body-too-large');
    }
  });

  test('an error inside is logged and not told', async () => {
    port.answer = () => Promise.reject(new Error('the store is at secret:place'));
    const answer = await ask(http, `${APP}/components/catalog/invoke`, post({ kind: 'call', function: 'f' }));
    assert.equal(answer.status, 500);
    assert.equal(answer.json['code'], 'internal');
    assert.ok(!answer.text.includes('secret:place'));
  });

  test('an invocation is passed on as it was asked for, and cancelled when its caller goes', async () => {
    const result = {
      outcome: 'ok',
      value: { price: 3 },
      requestId: 'r_9',
      durationMs: 1,
      cold: false,
      billedMs: 1,
    } as const;
    port.answer = () => result;
    const request = { kind: 'queue', messages: [{ type: 'order.paid', data: { id: 1 } }] };
    const answer = await ask(http, `${APP}/components/catalog/invoke`, post(request));
    assert.deepEqual(answer.json, result);
    assert.deepEqual(port.asked.at(-1), { invoke: 'catalog', request });

    const begun = Promise.withResolvers<AbortSignal>();
    port.answer = (_request, signal) => {
      begun.resolve(signal);
      return new Promise((resolve) => signal.addEventListener('abort', () => resolve(result)));
    };
    const headers = { ...bearer, 'content-type': 'application/json' };
    const path = `${APP}/components/catalog/invoke`;
    const sent = httpRequest({ ...http, host: '127.0.0.1', path, method: 'POST', headers, agent: false });
    sent.on('error', () => undefined);
    sent.end(JSON.stringify({ kind: 'call', function: 'slow' }));
    const signal = await begun.promise;
    const aborted = once(signal, 'abort', { signal: AbortSignal.timeout(10_000) });
    sent.destroy();
    await aborted;
  });

  test('the log is told, filtered, and followed with heartbeats until the server closes', async () => {
    port.logs.write(logEntry({ text: 'one', atMs: 1_000 }));
    port.logs.write(logEntry({ text: 'two', atMs: 2_000, level: 'error', requestId: 'r_2' }));
    port.logs.write(logEntry({ text: 'three', atMs: 3_000, component: 'storefront' }));
    const texts = async (query: string): Promise<string[]> => {
      const { json } = await ask({ socketPath }, `${APP}/logs?${query}`);
      return (json as unknown as { text: string }[]).map(({ text }) => text);
    };
    assert.deepEqual(await texts(''), ['one', 'two', 'three']);
    assert.deepEqual(await texts('component=catalog&level=warn'), ['two']);
    assert.deepEqual(await texts('request=r_2'), ['two']);
    assert.deepEqual(await texts('since=2000&limit=1'), ['three']);

    const sent = httpRequest({
      socketPath,
      path: `${APP}/logs/follow?component=catalog&limit=1`,
      agent: false,
    });
    sent.end();
    const [response] = (await once(sent, 'response')) as [IncomingMessage];
    assert.equal(response.headers['content-type'], 'application/x-ndjson');
    response.setEncoding('utf8');
    const nextLine = async (): Promise<{ kind: string; entry?: { text: string } }> => {
      const [chunk] = (await once(response, 'data')) as [string];
      return JSON.parse(chunk) as { kind: string };
    };
    assert.equal((await nextLine()).entry?.text, 'two');
    port.logs.write(logEntry({ text: 'elsewhere', component: 'storefront' }));
    port.logs.write(logEntry({ text: 'four' }));
    assert.equal((await nextLine()).entry?.text, 'four');
    const beat = nextLine();
    await clock.advance(HEARTBEAT_MS);
    assert.deepEqual(await beat, { kind: 'heartbeat' });

    const ended = once(response, 'end');
    await server.close();
    await ended;
    assert.equal(existsSync(socketPath), false, 'the socket file is gone');
  });
});

test('a reader that stops reading is told later how much it missed', async (t) => {
  const port = new FakePort();
  const server = newServer(port, systemClock);
  const { url } = await server.listen({ httpPort: 0, host: '127.0.0.1', socketPath: null });
  t.after(() => server.close());
  const headers = { authorization: `Bearer ${TOKEN}` };
  const sent = httpRequest(`${url}${APP}/logs/follow?limit=0`, { agent: false, headers });
  sent.end();
  const [response] = (await once(sent, 'response')) as [IncomingMessage];
  // Nobody reads, so that the system's buffers fill up (some MB) and the rest has to wait in ours.
  const line = 'x'.repeat(20_000);
  for (let i = 0; i < 4_000; i++) {
    port.logs.write(logEntry({ text: line, atMs: i }));
    if (i % 20 === 0) await new Promise((resolve) => setImmediate(resolve));
  }
  port.logs.write(logEntry({ text: 'last' }));
  let text = '';
  let missed = 0;
  let got = 0;
  let last = false;
  for await (const chunk of response.setEncoding('utf8')) {
    text += chunk as string;
    const lines = text.split('\n');
    text = lines.pop()!;
    for (const each of lines) {
      const parsed = JSON.parse(each) as { kind: string; count: number; entry?: { text: string } };
      if (parsed.kind === 'missed') missed += parsed.count;
      if (parsed.kind === 'entry') got += 1;
      last ||= parsed.entry?.text === 'last';
    }
    if (last) break;
  }
  assert.ok(missed > 0);
  assert.equal(missed + got, 4_001);
});

test('a port that is taken is told as such, and nothing stays open', async () => {
  const first = newServer(new FakePort(), systemClock);
  const { url } = await first.listen({ httpPort: 0, host: '127.0.0.1', socketPath: null });
  const second = newServer(new FakePort(), systemClock);
  const taken = { httpPort: Number(new URL(url!).port), host: '127.0.0.1', socketPath: null } as const;
  await assert.rejects(second.listen(taken), { code: 'port-in-use' });

  const folder = mkdtempSync(join(tmpdir(), 'fulcrum-control-'));
  const long = { httpPort: 0, host: '127.0.0.1', socketPath: join(folder, 'x'.repeat(107)) } as const;
  await assert.rejects(second.listen(long), /may have \d+ bytes/);
  assert.equal(second.link, null);
  await first.close();
  assert.ok((await second.listen(taken)).url, 'after a failure it can listen elsewhere');
  await second.close();
  rmSync(folder, { recursive: true });
});

test('stop answers first and then ends the server', async () => {
  const port = new FakePort();
  const stopped = Promise.withResolvers<void>();
  Object.assign(port, { stop: () => stopped.resolve() });
  const server = newServer(port, systemClock);
  const { url } = await server.listen({ httpPort: 0, host: '127.0.0.1', socketPath: null });
  const headers = { authorization: `Bearer ${TOKEN}` };
  const answer = await ask({ port: Number(new URL(url!).port) }, '/v1/stop', { method: 'POST', headers });
  assert.equal(answer.status, 202);
  await stopped.promise;
  await server.close();
});
