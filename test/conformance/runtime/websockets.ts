import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { connect } from 'node:net';
import { describe, test, type TestContext } from 'node:test';
import { WebSocket, type ClientOptions } from 'ws';
import type { Instance } from '../../../src/model/instance.ts';
import type { InvocationEnd } from '../../../src/model/invocation.ts';
import { Bench, TestInvocation, type CreateRuntime } from './bench.ts';

/** A door to an instance for clients of WebSockets, as the gateway is one. */
class Door {
  readonly invocations: TestInvocation[] = [];
  readonly ends: Promise<InvocationEnd>[] = [];
  readonly sockets: Socket[] = [];
  port = 0;

  static async open(t: TestContext, instance: Instance, timeoutMs = 60_000): Promise<Door> {
    const door = new Door();
    const server = createServer();
    server.on('upgrade', (request, socket, early) => {
      const invocation = new TestInvocation(`r_${door.invocations.length}`, timeoutMs);
      door.invocations.push(invocation);
      door.sockets.push(socket as Socket);
      socket.on('error', () => undefined);
      const target = request.url ?? '/';
      const head = {
        method: 'GET',
        url: `http://shop.example${target}`,
        target,
        headers: request.rawHeaders,
      };
      const ended = instance.upgrade({ context: invocation.context, head, socket, early });
      door.ends.push(ended);
      void ended.then(() => socket.destroy());
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    t.after(() => {
      for (const socket of door.sockets) socket.destroy();
      server.close();
    });
    door.port = (server.address() as AddressInfo).port;
    return door;
  }

  client(path: string, protocols: string[] = [], options: ClientOptions = {}): Client {
    return new Client(new WebSocket(`ws://127.0.0.1:${this.port}${path}`, protocols, options));
  }
}

/** Keeps what comes, and waits for what has not come yet. */
class Client {
  readonly ws: WebSocket;
  readonly messages: (string | Buffer)[] = [];
  readonly closed: Promise<{ code: number; reason: string }>;
  #wake: (() => void) | null = null;

  constructor(ws: WebSocket) {
    this.ws = ws;
    ws.on('error', () => undefined);
    ws.on('message', (data: Buffer, isBinary: boolean) => {
      this.messages.push(isBinary ? data : data.toString());
      this.#wake?.();
    });
    this.closed = new Promise((resolve) => {
      ws.on('close', (code, reason) => resolve({ code, reason: reason.toString() }));
    });
  }

  async opened(): Promise<this> {
    if (this.ws.readyState !== WebSocket.OPEN) await once(this.ws, 'open');
    return this;
  }

  async message(index: number): Promise<string | Buffer> {
    while (this.messages.length <= index) await new Promise<void>((resolve) => void (this.#wake = resolve));
    return this.messages[index]!;
  }
}

/** WebSockets of modules. */
export function webSocketConformance(create: CreateRuntime): void {
  describe('websockets', () => {
    const start = async (t: TestContext, order: Parameters<Bench['start']>[1] = { mode: 'service' }) => {
      const bench = await Bench.open(t, create);
      const instance = await bench.start('sockets', order, { SHOP: 'pots' });
      return { bench, instance };
    };

    test('text and bytes go both ways, and a close with its code and reason', async (t) => {
      const { bench, instance } = await start(t);
      assert.equal(instance.handlersOf(instance.revision.spec.name)!.websocket, true);
      const door = await Door.open(t, instance);
      const client = await door.client('/echo').opened();
      assert.equal(await client.message(0), 'welcome');
      client.ws.send('grüße');
      client.ws.send(Buffer.from([0, 255, 10]));
      client.ws.send('');
      assert.equal(await client.message(1), 'grüße');
      assert.deepEqual(await client.message(2), Buffer.from([0, 255, 10]));
      assert.equal(await client.message(3), '');
      client.ws.close(4_000, 'done here');
      assert.deepEqual(await client.closed, { code: 4_000, reason: 'done here' });
      await bench.log.until(/^closed 4000 done here$/);
      const end = await door.ends[0]!;
      assert.deepEqual([end.outcome, end.error], ['ok', null]);
    });

    test('a message of 1 MB, and one in fragments', async (t) => {
      const { instance } = await start(t);
      const door = await Door.open(t, instance);
      const client = await door.client('/echo').opened();
      const big = Buffer.alloc(1024 * 1024, 'abc');
      client.ws.send(big);
      assert.ok(big.equals((await client.message(1)) as Buffer));
      client.ws.send('one, ', { fin: false });
      client.ws.ping();
      client.ws.send('two, ', { fin: false });
      client.ws.send('three', { fin: true });
      assert.equal(await client.message(2), 'one, two, three');
      client.ws.close();
      await client.closed;
    });

    test('a ping is answered', async (t) => {
      const { instance } = await start(t);
      const client = await (await Door.open(t, instance)).client('/echo').opened();
      const pong = once(client.ws, 'pong');
      client.ws.ping('are you there');
      assert.equal(String((await pong)[0]), 'are you there');
      client.ws.terminate();
    });

    test('the component closes with a code and a reason of its own', async (t) => {
      const { instance } = await start(t);
      const door = await Door.open(t, instance);
      assert.deepEqual(await door.client('/bye').closed, { code: 4_321, reason: 'enough' });
      assert.equal((await door.ends[0]!).outcome, 'ok');
    });

    test('what is no WebSocket protocol is closed with its code: 1002, 1007, 1009', async (t) => {
      const { instance } = await start(t);
      const door = await Door.open(t, instance);
      const cases: [string, number, (socket: Socket) => void][] = [
        ['an unmasked frame', 1_002, (socket) => void socket.write(Buffer.from([0x81, 0x01, 0x61]))],
        [
          'text that is no UTF-8',
          1_007,
          (socket) => void socket.write(Buffer.from([0x81, 0x81, 0, 0, 0, 0, 0xff])),
        ],
        [
          'a message too large',
          1_009,
          (socket) => void socket.write(Buffer.from([0x82, 0xff, 0, 0, 0, 0, 0x40, 0, 0, 0])),
        ],
      ];
      for (const [what, code, hurt] of cases) {
        const client = await door.client('/echo').opened();
        hurt((client.ws as unknown as { _socket: Socket })._socket);
        assert.equal((await client.closed).code, code, what);
      }
    });

    test('a hook that throws or rejects is logged with its request, and the socket closed with 1011', async (t) => {
      const { bench, instance } = await start(t);
      const door = await Door.open(t, instance);
      for (const [path, logged] of [
        ['/throws', /a hook failed/],
        ['/rejects', /a hook was rejected/],
      ] as const) {
        const client = await door.client(path).opened();
        client.ws.send('x');
        assert.equal((await client.closed).code, 1_011);
        const line = await bench.log.until(logged);
        assert.equal(line.requestId, `r_${door.invocations.length - 1}`);
      }
      assert.equal(
        (await door.client('/echo').opened()).ws.readyState,
        WebSocket.OPEN,
        'others are not harmed',
      );
    });

    test('one message at a time: the next waits for the hook, and the sender for it', async (t) => {
      const { bench, instance } = await start(t);
      const door = await Door.open(t, instance);
      const client = await door.client('/slow').opened();
      const chunk = 'x'.repeat(256 * 1024);
      for (let i = 0; i < 100; i++) client.ws.send(chunk);
      await bench.log.until(/^begin 1$/);
      const before = (await instance.measure())!.memoryBytes;
      // 25 MB wait in the client, and not in the instance or here.
      await bench.log.until(/^begin 1$/);
      assert.ok(
        client.ws.bufferedAmount > 10 * 1024 * 1024,
        `${client.ws.bufferedAmount} wait in the client`,
      );
      assert.ok((await instance.measure())!.memoryBytes - before < 16 * 1024 * 1024);
      assert.ok(!bench.log.entries.some(({ text }) => text === 'begin 2'));
      client.ws.terminate();
    });

    test('a component that sends faster than its client reads is told to wait, and when to go on', async (t) => {
      const { bench, instance } = await start(t);
      const door = await Door.open(t, instance);
      const client = await door.client('/flood').opened();
      client.ws.pause();
      await bench.log.until(/^full after \d+, true$/);
      client.ws.resume();
      assert.equal((await client.closed).code, 1_000);
      assert.equal(client.messages.length, 200);
    });

    test('a subprotocol is agreed on where the client offers it', async (t) => {
      const { instance } = await start(t);
      const door = await Door.open(t, instance);
      const client = await door.client('/protocol', ['chat.v1', 'chat.v2']).opened();
      assert.equal(await client.message(0), 'chat.v2');
      assert.equal(client.ws.protocol, 'chat.v2');
      client.ws.terminate();
      assert.equal(await (await door.client('/protocol').opened()).message(0), '');
    });

    test('a Response refuses, and reaches the client as it is', async (t) => {
      const { instance } = await start(t);
      const door = await Door.open(t, instance);
      for (const [path, status, body] of [
        ['/refused', 403, 'not you'],
        ['/refused-stream', 401, 'not you'],
      ] as const) {
        const raw = await rawUpgrade(door.port, path);
        assert.match(raw, new RegExp(`^HTTP/1\\.1 ${status} [^]*\\r\\n\\r\\n${body}$`));
      }
      assert.equal((await door.ends[0]!).outcome, 'ok');
    });

    test('a handler that throws, or returns nothing, leaves the socket to whoever asked', async (t) => {
      const { bench, instance } = await start(t);
      const door = await Door.open(t, instance);
      assert.equal(await rawUpgrade(door.port, '/error'), '');
      assert.equal(await rawUpgrade(door.port, '/nothing'), '');
      const ends = await Promise.all(door.ends);
      assert.deepEqual(
        ends.map(({ outcome, error }) => [outcome, error!.code]),
        [
          ['handler-error', 'handler-error'],
          ['handler-error', 'bad-response'],
        ],
      );
      await bench.log.until(/no sockets today/);
    });

    test('a handshake that is none is answered as such', async (t) => {
      const { instance } = await start(t);
      const door = await Door.open(t, instance);
      assert.match(
        await rawUpgrade(door.port, '/echo', 'Sec-WebSocket-Version: 3\r\n'),
        /^HTTP\/1\.1 4\d\d /,
      );
      assert.equal((await door.ends[0]!).outcome, 'ok');
    });

    test('a module without the handler, or another protocol: said so, and the socket untouched', async (t) => {
      const bench = await Bench.open(t, create);
      const bare = await Door.open(t, await bench.start('bare', { mode: 'service' }));
      assert.equal(await rawUpgrade(bare.port, '/'), '');
      const end = await bare.ends[0]!;
      assert.equal(end.error!.code, 'upgrade-unsupported');
      assert.match(end.error!.message, /no `websocket` handler\. Add one/);
      const door = await Door.open(t, await bench.start('sockets', { mode: 'service' }));
      assert.equal(await rawUpgrade(door.port, '/echo', '', 'mqtt'), '');
      assert.match((await door.ends[0]!).error!.message, /nothing but WebSockets/);
    });

    test('the hooks know request, environment and context; a client that vanishes is 1006', async (t) => {
      const { bench, instance } = await start(t);
      const door = await Door.open(t, instance);
      const client = await door.client('/signal', [], { headers: { 'x-test': 'yes' } }).opened();
      assert.equal(await client.message(0), 'yes pots r_0');
      client.ws.terminate();
      await bench.log.until(/^closed 1006$/);
      assert.equal((await door.ends[0]!).outcome, 'ok');
    });

    test('whoever asked gives up: the signal aborts, and the end is told', async (t) => {
      const { bench, instance } = await start(t);
      const door = await Door.open(t, instance);
      const client = await door.client('/signal').opened();
      door.invocations[0]!.abort('client-gone');
      await bench.log.until(/^aborted AbortError$/);
      assert.equal((await door.ends[0]!).outcome, 'cancelled');
      await client.closed;
    });

    test('whoever asked gives up before it is decided: the end is told, and the others go on', async (t) => {
      const { bench, instance } = await start(t);
      const door = await Door.open(t, instance);
      const other = await door.client('/echo').opened();
      for (const [i, [path, code, outcome]] of (
        [
          ['/late', 'client-gone', 'cancelled'],
          ['/late-refusal', 'client-gone', 'cancelled'],
          ['/late', 'timeout', 'timeout'],
          ['/late-refusal', 'timeout', 'timeout'],
        ] as const
      ).entries()) {
        const raw = rawUpgrade(door.port, path);
        await bench.log.until(new RegExp(`^r_${i + 1} decides$`));
        door.invocations[i + 1]!.abort(code);
        assert.equal((await door.ends[i + 1]!).outcome, outcome, path);
        assert.equal(await raw, '');
        other.ws.send(`after ${path}`);
        assert.equal(await other.message(i + 1), `after ${path}`);
      }
      other.ws.terminate();
    });

    test('an instance that drains says goodbye with 1001', async (t) => {
      const { instance } = await start(t);
      const door = await Door.open(t, instance);
      const client = await door.client('/echo').opened();
      await client.message(0);
      instance.drain();
      assert.equal((await client.closed).code, 1_001);
      assert.equal((await door.ends[0]!).outcome, 'ok');
    });

    test('in function mode the socket is closed before the time is up', async (t) => {
      const { instance } = await start(t, { mode: 'function' });
      const door = await Door.open(t, instance, 400);
      const client = await door.client('/echo').opened();
      assert.deepEqual(await client.closed, { code: 1_001, reason: 'The time of the function is up.' });
      assert.equal((await door.ends[0]!).outcome, 'ok');
    });

    test('an instance that dies takes its sockets along', async (t) => {
      const { instance } = await start(t);
      const door = await Door.open(t, instance);
      const client = await door.client('/echo').opened();
      process.kill(instance.pid, 'SIGKILL');
      assert.equal((await client.closed).code, 1_006);
      assert.equal((await door.ends[0]!).outcome, 'crashed');
    });

    test('fifty sockets at a time are kept apart', async (t) => {
      const { instance } = await start(t);
      const door = await Door.open(t, instance);
      const clients = await Promise.all(Array.from({ length: 50 }, () => door.client('/echo').opened()));
      for (const [i, client] of clients.entries()) client.ws.send(`mine ${i}`);
      for (const [i, client] of clients.entries()) assert.equal(await client.message(1), `mine ${i}`);
      for (const client of clients) client.ws.terminate();
    });
  });
}

/** What comes back to a request to upgrade until the connection ends. */
async function rawUpgrade(port: number, path: string, more = '', protocol = 'websocket'): Promise<string> {
  const socket = connect(port, '127.0.0.1');
  let text = '';
  socket.on('data', (chunk: Buffer) => void (text += chunk.toString('latin1')));
  const key = 'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n';
  const version = more === '' ? 'Sec-WebSocket-Version: 13\r\n' : more;
  socket.write(
    `GET ${path} HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: ${protocol}\r\n${key}${version}\r\n`,
  );
  await once(socket, 'close');
  return text;
}
