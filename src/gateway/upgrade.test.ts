import assert from 'node:assert/strict';
import { once } from 'node:events';
import { test } from 'node:test';
import { WebSocket, WebSocketServer } from 'ws';
import type { CancelSignal } from '../base/cancel.ts';
import { FulcrumError } from '../base/errors.ts';
import { answering, failed, OK } from './testing/fake-instance.ts';
import { aborted, gatewayFixture } from './testing/gateway-fixture.ts';
import type { IncomingMessage } from 'node:http';
import type { RequestHead } from '../model/http.ts';
import type { UpgradeRequest } from '../model/instance.ts';

const UPGRADE = 'GET /ws?x=1 HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n';

test('a WebSocket: handed over, echoed, and closed by the client', async (t) => {
  const fixture = await gatewayFixture(t);
  const server = new WebSocketServer({ noServer: true });
  const heads: RequestHead[] = [];
  fixture.runs('chat', [{ path: '/chat/*', stripPrefix: true }], {
    upgrade: async ({ head, socket, early }: UpgradeRequest) => {
      heads.push(head);
      const headers: Record<string, string> = {};
      for (let i = 0; i < head.headers.length; i += 2)
        headers[head.headers[i]!.toLowerCase()] = head.headers[i + 1]!;
      server.handleUpgrade(
        { method: 'GET', headers } as unknown as IncomingMessage,
        socket,
        Buffer.from(early),
        (ws) => {
          ws.on('message', (data: Buffer) => ws.send(`echo ${data.toString()}`));
        },
      );
      await once(socket, 'close');
      return OK;
    },
  });
  const client = new WebSocket(`ws://127.0.0.1:${fixture.port}/chat/room?x=1`);
  await once(client, 'open');
  client.send('hello');
  const [data] = (await once(client, 'message')) as [Buffer];
  assert.equal(data.toString(), 'echo hello');
  assert.equal(fixture.gateway.connections, 1);
  assert.deepEqual([fixture.dispatcher.ran[0]!.answered, fixture.dispatcher.ran[0]!.status], [true, 101]);
  client.close();
  const [line] = await fixture.logged(1);
  assert.deepEqual(
    [line!.component, line!.fields!['path'], line!.fields!['status']],
    ['chat', '/chat/room', 101],
  );
  assert.equal(heads[0]!.target, '/room?x=1');
  assert.ok(heads[0]!.headers.join('\n').includes('Connection\nUpgrade\nUpgrade\nwebsocket\n'));
});

test('bytes behind the head go along', async (t) => {
  const fixture = await gatewayFixture(t);
  fixture.runs('shop', ['/*'], {
    upgrade: async ({ socket, early }) => {
      socket.write(`HTTP/1.1 101 Switching Protocols\r\n\r\n${Buffer.from(early).toString()}`);
      socket.end();
      await once(socket, 'close');
      return OK;
    },
  });
  const client = await fixture.connect();
  client.socket.write(`${UPGRADE}early`);
  const answer = await client.until(/early$/);
  assert.match(answer, /^HTTP\/1\.1 101/);
  client.socket.write('later');
  client.socket.end();
  await fixture.logged(1);
  // What came behind the head counts, and the head itself does not.
  const { seed } = fixture.dispatcher.ran[0]!;
  assert.deepEqual([seed.bytesIn, seed.bytesOut], ['earlylater'.length, answer.length]);
});

const REFUSED: [string, number, (request: UpgradeRequest) => Promise<ReturnType<typeof failed>>][] = [
  ['upgrade-unsupported', 501, () => Promise.resolve(failed('handler-error', error('upgrade-unsupported')))],
  ['instance-crashed', 502, () => Promise.resolve(failed('crashed', error('instance-crashed')))],
  ['bad-response', 502, () => Promise.resolve(OK)],
];
for (const [code, status, upgrade] of REFUSED) {
  test(`an instance that leaves the socket untouched: ${status} ${code}`, async (t) => {
    const fixture = await gatewayFixture(t);
    fixture.runs('shop', ['/*'], { upgrade });
    const text = await fixture.raw(UPGRADE);
    assert.match(text, new RegExp(`^HTTP/1\\.1 ${status} [^]*Connection: close[^]*errors/${code}"`));
    const [line] = await fixture.logged(1);
    assert.deepEqual([line!.fields!['status'], line!.fields!['path']], [status, '/ws']);
    assert.equal(fixture.dispatcher.ran[0]!.status, status);
  });
}

test('an instance that fails after it has answered: the connection is cut', async (t) => {
  const fixture = await gatewayFixture(t);
  fixture.runs('shop', ['/*'], {
    upgrade: ({ socket }) => {
      socket.write('HTTP/1.1 101 Switching Protocols\r\n\r\n');
      return Promise.resolve(failed('crashed', error('instance-crashed')));
    },
  });
  assert.doesNotMatch(await fixture.raw(UPGRADE), /problem/);
  const [line] = await fixture.logged(1);
  assert.deepEqual([line!.fields!['status'], line!.fields!['error']], [101, 'instance-crashed']);
});

test('no route, no slot, a body, files: each a plain problem', async (t) => {
  const fixture = await gatewayFixture(t);
  assert.match(await fixture.raw(UPGRADE), /^HTTP\/1\.1 404 [^]*route-not-found/);
  fixture.serves('files', ['/files/*'], import.meta.dirname);
  assert.match(
    await fixture.raw(UPGRADE.replace('/ws', '/files/x')),
    /^HTTP\/1\.1 501 [^]*upgrade-unsupported/,
  );
  fixture.runs('shop', ['/*'], { upgrade: () => Promise.resolve(OK) });
  fixture.dispatcher.refusal = new FulcrumError('overloaded', 'Full.');
  assert.match(await fixture.raw(UPGRADE), /^HTTP\/1\.1 503 [^]*Retry-After: 1[^]*overloaded/);
  const lines = await fixture.logged(3);
  assert.deepEqual(
    lines.map((line) => line.fields!['status']),
    [404, 501, 503],
  );
});

test('a client that leaves in the middle of the handshake aborts it', async (t) => {
  const fixture = await gatewayFixture(t);
  let signal: CancelSignal | null = null;
  fixture.runs('shop', ['/*'], {
    upgrade: async ({ context, socket }) => {
      signal = context.signal;
      socket.resume();
      await aborted(signal);
      return failed('cancelled', signal.reason as FulcrumError);
    },
  });
  const client = await fixture.connect();
  client.socket.write(UPGRADE);
  while (signal === null) await new Promise((resolve) => void setImmediate(resolve));
  client.socket.resetAndDestroy();
  const [line] = await fixture.logged(1);
  assert.equal(line!.fields!['status'], 499);
});

test('an offer of HTTP/2 is passed over', async (t) => {
  const fixture = await gatewayFixture(t);
  fixture.runs('shop', ['/*'], answering(200, [], 'plain'));
  const text = await fixture.raw(
    'GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade, close\r\nUpgrade: h2c\r\nHTTP2-Settings: x\r\n\r\n',
  );
  assert.match(text, /^HTTP\/1\.1 200 OK[^]*plain/);
});

function error(code: 'upgrade-unsupported' | 'instance-crashed'): FulcrumError {
  return new FulcrumError(code, 'No.');
}
