import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { after, before, describe, test, type TestContext } from 'node:test';
import { FulcrumError } from '../base/errors.ts';
import { FakeHost, releaseManifest } from '../control/fixtures/fake-host.ts';
import { newToken } from '../control/token-form.ts';
import { ControlClient } from './client.ts';
import { World, type HostFixture } from './fixtures/run-cli.ts';

const PIECE = Buffer.alloc(64 * 1024, 'x');

async function* pieces(count: number): AsyncGenerator<Uint8Array> {
  for (let i = 0; i < count; i++) {
    await new Promise((resolve) => setImmediate(resolve));
    yield PIECE;
  }
}

describe('the client of a server', () => {
  let world: World;
  let there: HostFixture;
  let client: ControlClient;

  before(async () => {
    world = await World.make();
    there = await world.host(new FakeHost());
    client = new ControlClient({ kind: 'socket', socketPath: there.socketPath });
  });
  after(() => world.end());

  test('an upload arrives piece by piece, whole', async () => {
    assert.deepEqual(await client.upload('/blobs', pieces(40)), { stored: 1 });
    assert.equal(there.host.uploads.at(-1)!.length, 40 * PIECE.length);
  });

  test('what the content throws is what the upload rejects with', async () => {
    async function* broken(): AsyncGenerator<Uint8Array> {
      yield* pieces(3);
      throw new FulcrumError('not-found', 'The file is gone.');
    }
    await assert.rejects(client.upload('/blobs', broken()), {
      code: 'not-found',
      message: 'The file is gone.',
    });
  });

  test('a refusal that comes while the upload still runs is told, not the pipe that breaks', async () => {
    const place = { kind: 'url', url: new URL(there.url), token: newToken() } as const;
    for (let i = 0; i < 5; i++) {
      await assert.rejects(new ControlClient(place).upload('/blobs', pieces(400)), { code: 'unauthorized' });
    }
  });

  test('steps are told as they come, and the result is what the deploy made', async () => {
    const seen: string[] = [];
    const made = await client.steps('/apps/shop/deploys', { manifest: releaseManifest() }, (step) =>
      seen.push(`${step.name} ${step.state}`),
    );
    assert.equal(made.number, 3);
    assert.deepEqual(seen, ['check begun', 'check done', 'start begun', 'start done']);
    there.host.fails = new FulcrumError('deploy-failed', 'No.', {
      details: { component: 'catalog', log: ['a'] },
    });
    await assert.rejects(
      client.steps('/apps/shop/rollback', {}, () => undefined),
      (error: FulcrumError) => {
        assert.equal(error.code, 'deploy-failed');
        assert.deepEqual(error.details, { component: 'catalog', log: ['a'] });
        return true;
      },
    );
    there.host.fails = null;
  });
});

/** @param api whether it says that it is an admin API. */
async function serving(t: TestContext, listener: RequestListener, api = true): Promise<ControlClient> {
  const server = createServer((request, response) => {
    if (api && request.url === '/below/v1/health') response.end('{"ok":true,"api":"fulcrum"}');
    else listener(request, response);
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  const url = new URL(`http://127.0.0.1:${(server.address() as AddressInfo).port}/below/`);
  return new ControlClient({ kind: 'url', url, token: 'secret-token' });
}

test('the token goes along, below the path of the address', async (t) => {
  const asked: unknown[] = [];
  const client = await serving(t, (request, response) => {
    asked.push([request.method, request.url, request.headers.authorization]);
    response.end('{}');
  });
  await client.get('/apps');
  await client.put('/x', {});
  await client.delete('/y');
  assert.deepEqual(asked, [
    ['GET', '/below/v1/apps', 'Bearer secret-token'],
    ['PUT', '/below/v1/x', 'Bearer secret-token'],
    ['DELETE', '/below/v1/y', 'Bearer secret-token'],
  ]);
});

test('a deploy whose connection breaks off, or ends without a result, is not taken for one that went well', async (t) => {
  const lines = '{"kind":"heartbeat"}\n{"kind":"step","step":{"name":"check","state":"begun"}}\n';
  const unknown = { code: 'server-unreachable', message: /broke off\. What had begun goes on there/ };
  const broken = await serving(t, (_request, response) => {
    response.writeHead(200, { 'content-type': 'application/x-ndjson' });
    response.write(lines, () => response.destroy());
  });
  await assert.rejects(
    broken.steps('/apps/shop/deploys', {}, () => undefined),
    unknown,
  );
  const ended = await serving(t, (_request, response) => void response.end(lines));
  await assert.rejects(
    ended.steps('/apps/shop/deploys', {}, () => undefined),
    unknown,
  );
});

test('what is no admin API is told as such: pages, redirects, nonsense', async (t) => {
  for (const [status, text] of [
    [200, '<html>'],
    [404, '<html>'],
    [302, ''],
    [500, '{"detail":1}'],
  ] as const) {
    const listener: RequestListener = (_request, response) => {
      response.writeHead(status, { location: 'http://127.0.0.1:1/' });
      response.end(text);
    };
    for (const api of [true, false]) {
      const client = await serving(t, listener, api);
      await assert.rejects(client.get('/apps'), {
        code: 'server-unreachable',
        message: /^What answers at http:\/\/127\.0\.0\.1:\d+ is no admin API of Fulcrum\./,
      });
    }
  }
});

test('what does not say that it is an admin API is told no token: the port of an app, say', async (t) => {
  const asked: unknown[] = [];
  const client = await serving(
    t,
    (request, response) => {
      asked.push([request.method, request.url, request.headers.authorization]);
      response.writeHead(404, { 'content-type': 'application/problem+json' });
      response.end(
        '{"type":"https://fulcrum.dev/errors/not-found","status":404,"detail":"There is no file at this path."}',
      );
    },
    false,
  );
  const isNone = { code: 'server-unreachable', message: /8081.* It said: There is no file at this path\.$/ };
  await assert.rejects(client.get('/server'), isNone);
  await assert.rejects(client.upload('/blobs', pieces(1)), isNone);
  assert.deepEqual(asked, [['GET', '/below/v1/health', undefined]]);
});

test('a code that only a newer server knows is told as it came', async (t) => {
  const client = await serving(t, (_request, response) => {
    response.writeHead(409);
    response.end('{"code":"quota-full","status":409,"detail":"The disk is full.","app":"shop"}');
  });
  await assert.rejects(client.get('/apps'), {
    code: 'bad-request',
    message: /^The disk is full\. .*'quota-full'/,
    details: { app: 'shop' },
  });
});

test('a server that has gone is started again with the command that ran it', async () => {
  for (const [server, expected] of [
    ['dev', /start it again with `fulcrum dev`\.$/],
    ['serve', /journalctl -u fulcrum.*start it again with `fulcrum serve`\.$/],
    [undefined, /`fulcrum serve` or `fulcrum dev`\.$/],
  ] as const) {
    const place = { kind: 'socket', socketPath: '/nowhere/at-all.sock', ...(server && { server }) } as const;
    await assert.rejects(new ControlClient(place).get('/apps'), {
      code: 'server-unreachable',
      message: expected,
    });
  }
});
