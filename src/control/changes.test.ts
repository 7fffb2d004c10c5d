import assert from 'node:assert/strict';
import { once } from 'node:events';
import { request as httpRequest, type IncomingMessage } from 'node:http';
import { connect } from 'node:net';
import { after, before, beforeEach, describe, test } from 'node:test';
import { FulcrumError } from '../base/errors.ts';
import { ApiWorld, SECRET_MARKER } from './fixtures/api-world.ts';
import { ask, type Answer, type Ask } from './fixtures/ask.ts';
import { releaseManifest } from './fixtures/fake-host.ts';

describe('changes, streams and uploads', () => {
  let world: ApiWorld;
  let bearer: Record<string, string>;

  before(async () => {
    world = await ApiWorld.start();
    bearer = { authorization: `Bearer ${await world.token({ id: 't_changes', name: 'ci' })}` };
  });
  after(() => world.end());
  beforeEach(() => {
    world.audit.entries.length = 0;
    world.audit.fails = false;
    world.host.asked.length = 0;
    world.host.fails = null;
    world.host.uploads.length = 0;
  });

  const send = (method: string, path: string, value: unknown, headers = bearer): Promise<Answer> =>
    ask(world.http, `/v1${path}`, {
      method,
      headers: { 'content-type': 'application/json', ...headers },
      body: JSON.stringify(value),
    });
  const deploy = { manifest: releaseManifest(), note: 'less memory' };
  const written = () =>
    world.audit.entries.map(({ actor, action, app, outcome, details }) => ({
      actor,
      action,
      app,
      outcome,
      details,
    }));

  test('a deploy is told step by step, ends in its result, and is written down with who did it', async () => {
    const answer = await send('POST', '/apps/shop/deploys', deploy);
    const kinds = answer.text
      .split('\n')
      .filter(Boolean)
      .map((line) => (JSON.parse(line) as { kind: string }).kind);
    assert.deepEqual(kinds, ['heartbeat', 'step', 'step', 'step', 'step', 'result']);
    assert.deepEqual(world.host.asked, [{ deploy: 'shop', by: 'ci (t_changes)', isAdmin: true }]);
    assert.deepEqual(written(), [
      {
        actor: 'ci (t_changes)',
        action: 'deploy',
        app: 'shop',
        outcome: 'ok',
        details: { release: 3, note: 'less memory', hosts: null, prefix: null, canary: null },
      },
    ]);
  });

  test('where a deploy is to answer is written down, and whether its token may decide that is told', async () => {
    const authorization = `Bearer ${await world.token({ id: 't_narrow', name: 'ci', scope: 'deploy' })}`;
    const routing = { hosts: ['shop.example.com'], prefix: '/login' };
    await send('POST', '/apps/shop/deploys', { ...deploy, routing }, { authorization });
    assert.deepEqual(world.host.asked, [{ deploy: 'shop', by: 'ci (t_narrow)', isAdmin: false }]);
    const { hosts, prefix } = written()[0]!.details;
    assert.deepEqual({ hosts, prefix }, routing);
  });

  test('a deploy that fails ends in its error, and is written down as failed', async () => {
    world.host.fails = new FulcrumError('deploy-failed', 'catalog did not start.', {
      details: { component: 'catalog', log: ['Error: no'] },
    });
    const { status, text } = await send('POST', '/apps/shop/deploys', deploy);
    assert.equal(status, 200, 'it had begun');
    const last = JSON.parse(text.trim().split('\n').at(-1)!) as {
      kind: string;
      error: Record<string, unknown>;
    };
    assert.equal(last.kind, 'error');
    assert.equal(last.error['code'], 'deploy-failed');
    assert.deepEqual(last.error['log'], ['Error: no']);
    assert.equal(written()[0]!.outcome, 'failed');
    assert.equal(written()[0]!.details['error'], 'deploy-failed');
  });

  test('a deploy goes on when its client goes, and is written down all the same', async () => {
    const begun = Promise.withResolvers<void>();
    const mayEnd = Promise.withResolvers<void>();
    const before = world.host.deploys!;
    const real = before.deploy.bind(before);
    before.deploy = async (order, onStep) => {
      begun.resolve();
      await mayEnd.promise;
      return real(order, onStep);
    };
    const sent = httpRequest({
      ...world.http,
      host: '127.0.0.1',
      path: '/v1/apps/shop/deploys',
      method: 'POST',
      headers: { ...bearer, 'content-type': 'application/json' },
      agent: false,
    });
    sent.on('error', () => undefined);
    sent.end(JSON.stringify(deploy));
    const [response] = (await once(sent, 'response')) as [IncomingMessage];
    await begun.promise;
    response.destroy();
    const appended = Promise.withResolvers<void>();
    const append = world.audit.append.bind(world.audit);
    world.audit.append = async (entry) => {
      await append(entry);
      appended.resolve();
    };
    mayEnd.resolve();
    await appended.promise;
    world.audit.append = append;
    before.deploy = real;
    assert.deepEqual([written()[0]!.action, written()[0]!.outcome], ['deploy', 'ok']);
  });

  test('what is not valid is refused before anything begins, and written down without what was in it', async () => {
    const CASES: [string, string, unknown, number, RegExp][] = [
      [
        'POST',
        '/apps/blog/deploys',
        deploy,
        400,
        /manifest is of 'shop', and the deploy was asked for 'blog'/,
      ],
      ['POST', '/apps/shop/deploys', { manifest: { ...deploy.manifest, format: 2 } }, 400, /format/],
      [
        'POST',
        '/apps/shop/deploys',
        { ...deploy, canary: { steps: [10, 5], everyMs: 1_000, maxErrors: 0 } },
        400,
        /each above the one before/,
      ],
      [
        'POST',
        '/apps/shop/deploys',
        { ...deploy, canary: { steps: [], everyMs: 1_000, maxErrors: 0 } },
        400,
        /one to twenty/,
      ],
      ['PUT', `/apps/shop/secrets/A=${SECRET_MARKER}`, { value: 'v' }, 400, /letters, digits and _/],
      ['PUT', '/apps/shop/secrets/A', { value: SECRET_MARKER, note: 'x' }, 400, /note/],
      ['PUT', '/apps/shop/secrets/A', { value: 'x'.repeat(65_537) }, 400, /value/],
      ['POST', '/tokens', { name: 'a\nb', scope: 'read' }, 400, /name/],
      ['POST', '/tokens', { name: 'a', scope: 'root' }, 400, /scope/],
      ['POST', '/tokens', { name: 'a', scope: 'read', apps: [] }, 400, /apps/],
      ['POST', '/tokens', { name: 'a', scope: 'read', apps: ['shop@production'] }, 400, /an app's id/],
      ['POST', '/apps/shop/rollback', { to: 0 }, 400, /to/],
      ['PUT', '/apps/shop/components/catalog/limits', {}, 400, /rps.*burst.*perClient.*concurrency/],
      [
        'PUT',
        '/apps/shop/components/catalog/limits',
        { rps: 5, burst: null, perClient: null },
        400,
        /concurrency/,
      ],
      ['DELETE', '/tokens/t_nobody', undefined, 404, /no token 't_nobody'/],
    ];
    for (const [method, path, value, status, detail] of CASES) {
      await world.clock.advance(6_000);
      const answer = await send(method, path, value);
      assert.equal(answer.status, status, `${path}: ${answer.text}`);
      assert.match(answer.json['detail'] as string, detail);
      const [entry] = written().slice(-1);
      assert.equal(entry!.outcome, 'failed');
      assert.ok(!`${answer.text}${JSON.stringify(entry)}`.includes(SECRET_MARKER));
    }
    assert.equal(written().length, CASES.length);
    assert.deepEqual(world.host.asked, []);
  });

  test('failures of a token that may are written down so often, then counted; changes always are', async () => {
    const headers = { authorization: `Bearer ${await world.token({ id: 't_flood', name: 'flood' })}` };
    const fail = (): Promise<Answer> =>
      send('POST', '/apps/shop/deploys', { manifest: { format: 2 } }, headers);
    for (let i = 0; i < 25; i++) assert.equal((await fail()).status, 400, 'each is told what is wrong');
    assert.equal(written().length, 10);
    assert.equal((await send('PUT', '/apps/shop/secrets/FLOOD', { value: 'v' }, headers)).status, 200);
    assert.deepEqual(written().at(-1)!.details, { name: 'FLOOD', unwritten: 15 });
    await world.clock.advance(6_000);
    await fail();
    await fail();
    assert.deepEqual(
      written()
        .slice(11)
        .map(({ details }) => details),
      [{ error: 'bad-request' }],
    );
    // Others are written down meanwhile.
    await world.clock.advance(60_000);
    await send('POST', '/apps/shop/deploys', { manifest: { format: 2 } });
    assert.equal(written().at(-1)!.actor, 'ci (t_changes)');
  });

  test('a note with control characters is refused, as no database and no terminal wants them', async () => {
    for (const note of ['a\0b', 'a\u001b[2Jb', 'a\u009bb', 'a\ud800b']) {
      const { status, json } = await send('POST', '/apps/shop/deploys', { ...deploy, note });
      assert.equal(status, 400);
      assert.match(json['detail'] as string, /note: no control characters/);
    }
    const lines = await send('POST', '/apps/shop/deploys', { ...deploy, note: 'first\r\n\n\tsecond 🎉' });
    assert.equal(lines.status, 200);
  });

  test('a stream is not answered to HEAD, and what it needs stays free', async () => {
    const path = '/v1/apps/shop/logs/follow';
    for (let i = 0; i < 40; i++) {
      const { status, headers } = await ask(world.http, path, { method: 'HEAD', headers: bearer });
      assert.deepEqual([status, headers['allow']], [405, 'GET']);
    }
    const got = await ask(world.http, path, { headers: bearer, firstLine: true });
    assert.equal(got.status, 200);
    const other = await ask(world.http, '/v1/apps/shop/logs', { method: 'HEAD', headers: bearer });
    assert.equal(other.status, 200, 'what ends by itself is');
  });

  test('who follows logs until a bound is in nobody else’s way, and may again when one ends', async () => {
    const token = { authorization: `Bearer ${await world.token({ id: 't_follows' })}` };
    const follow = async (headers: Record<string, string>): Promise<IncomingMessage> => {
      const path = '/v1/apps/shop/logs/follow';
      const sent = httpRequest({ ...world.http, host: '127.0.0.1', path, headers, agent: false });
      sent.on('error', () => undefined);
      sent.end();
      const [response] = (await once(sent, 'response')) as [IncomingMessage];
      response.on('error', () => undefined);
      return response;
    };
    const open = await Promise.all(Array.from({ length: 32 }, () => follow(token)));
    assert.deepEqual([...new Set(open.map(({ statusCode }) => statusCode))], [200]);
    const refused = await ask(world.http, '/v1/apps/shop/logs/follow', { headers: token });
    assert.equal(refused.status, 503);
    assert.match(refused.json['detail'] as string, /32 readers follow logs with this access already/);
    const other = await follow(bearer);
    assert.equal(other.statusCode, 200);
    other.destroy();
    open.pop()!.destroy();
    let again = await follow(token);
    // The server learns that a reader has gone in its own time.
    while (again.statusCode === 503) {
      again.destroy();
      again = await follow(token);
    }
    for (const response of [...open, again]) response.destroy();
  });

  test('where the log of changes cannot be written, what was done is done', async () => {
    world.audit.fails = true;
    assert.equal((await send('PUT', '/apps/shop/secrets/A', { value: 'v' })).status, 200);
  });

  test('long details are cut to what an entry may hold', async () => {
    const hosts = Array.from({ length: 100 }, (_, i) => `${'h'.repeat(200)}${i}.example.com`);
    await send('PUT', '/apps/shop/routing', { hosts, prefix: '' });
    assert.ok(JSON.stringify(written()[0]!.details).length <= 4_096);
  });

  test('a token that keeps asking for what it may not do fills no log', async () => {
    const headers = { authorization: `Bearer ${await world.token({ scope: 'read', name: 'r', id: 't_r' })}` };
    for (let i = 0; i < 10; i++) assert.equal((await send('POST', '/stop', {}, headers)).status, 403);
    const next = await send('POST', '/stop', {}, headers);
    assert.equal(next.status, 429);
    assert.equal(next.headers['retry-after'], '6');
    assert.equal(written().length, 10);
    assert.equal((await ask(world.http, '/v1/apps', { headers })).status, 200, 'looking is not slowed down');
    await world.clock.advance(60_000);
  });

  const upload = (body: Buffer, headers: Record<string, string> = {}): Promise<Answer> => {
    const options: Ask = {
      method: 'PUT',
      headers: { ...bearer, 'content-type': 'application/x-tar', ...headers },
      body,
    };
    return ask(world.http, '/v1/blobs', options);
  };

  test('an upload arrives whole, larger than any other body may be', async () => {
    const tar = Buffer.alloc(5 * 1024 ** 2, 'tar');
    const answer = await upload(tar);
    assert.equal(answer.status, 200, answer.text);
    assert.deepEqual(
      world.host.uploads.map((bytes) => bytes.equals(tar)),
      [true],
    );
  });

  test('an upload that is none, or said to be too large, is refused', async () => {
    assert.equal((await upload(Buffer.from('x'), { 'content-type': 'application/json' })).status, 400);
    const sent = connect({ ...world.http, host: '127.0.0.1' });
    sent.write(
      `PUT /v1/blobs HTTP/1.1\r\nhost: 127.0.0.1:${world.http.port}\r\nauthorization: ${bearer['authorization']}\r\ncontent-type: application/x-tar\r\ncontent-length: 3000000000\r\n\r\n`,
    );
    const [head] = (await once(sent, 'data')) as [Buffer];
    assert.match(head.toString(), /^HTTP\/1\.1 413 /);
    sent.destroy();
  });

  test('a body that does not come is given up: a whole one after 30 s, an upload after 30 s of silence', async () => {
    for (const [path, type, method] of [
      ['/v1/apps/shop/deploys', 'application/json', 'POST'],
      ['/v1/blobs', 'application/x-tar', 'PUT'],
    ] as const) {
      const sent = connect({ ...world.http, host: '127.0.0.1' });
      sent.write(
        `${method} ${path} HTTP/1.1\r\nhost: 127.0.0.1:${world.http.port}\r\nauthorization: ${bearer['authorization']}\r\ncontent-type: ${type}\r\ncontent-length: 10\r\n\r\n1`,
      );
      const answered = once(sent, 'data') as Promise<[Buffer]>;
      // Until the server waits for the rest, its clock stands still.
      const waiting = (async () => {
        while (world.clock.pending === 0) await new Promise((resolve) => setImmediate(resolve));
      })();
      await waiting;
      await world.clock.advance(31_000);
      const [head] = await answered;
      assert.match(head.toString(), /^HTTP\/1\.1 408 /, path);
      sent.destroy();
    }
  });

  test('a request that only looks takes no body', async () => {
    const answer = await ask(world.http, '/v1/apps', {
      headers: { ...bearer, 'content-length': '1' },
      body: 'x',
    });
    assert.equal(answer.status, 400);
    assert.equal(answer.headers['connection'], 'close');
  });
});
