import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect } from 'node:http2';
import { test } from 'node:test';
import type { ClientHttp2Session } from 'node:http2';
import type { TestContext } from 'node:test';
import type { FulcrumError } from '../../base/errors.ts';
import { answering, failed, OK } from '../testing/fake-instance.ts';
import { block, END_HEADERS, END_STREAM, FRAME, FrameClient, lastStreamOf } from '../testing/frames.ts';
import { aborted, gatewayFixture } from '../testing/gateway-fixture.ts';
import type { GatewayLimits } from '../limits.ts';
import type { GatewayFixture } from '../testing/gateway-fixture.ts';

const GET = [':method', 'GET', ':scheme', 'https', ':path', '/', ':authority', 'a.test'];

async function scene(
  t: TestContext,
  limits: Partial<GatewayLimits> = {},
): Promise<{ fixture: GatewayFixture; frames: FrameClient; session: () => ClientHttp2Session }> {
  const fixture = await gatewayFixture(t, { limits });
  fixture.runs('shop', ['/*'], answering(200, [], 'ok'));
  const { port, ca } = await fixture.listenTls(t);
  const frames = await FrameClient.open(port, ca);
  t.after(() => void frames.socket.destroy());
  const session = (): ClientHttp2Session => {
    const opened = connect(`https://127.0.0.1:${port}`, { ca, servername: 'a.test' });
    opened.on('error', () => undefined);
    t.after(() => opened.destroy());
    return opened;
  };
  return { fixture, frames, session };
}

function get(frames: FrameClient, stream: number, ...more: string[]): boolean {
  return frames.write(FRAME.headers, END_HEADERS | END_STREAM, stream, block([...GET, ...more]));
}

/** Whether the connection still serves. */
async function serves(frames: FrameClient, stream: number): Promise<boolean> {
  get(frames, stream);
  const answer = await frames.until((frame) => frame.stream === stream && frame.type === FRAME.headers);
  return answer !== null;
}

test('a client that begins and takes back, over and over, is cut off (CVE-2023-44487)', async (t) => {
  const { fixture, frames } = await scene(t, { streamResetBurst: 50, streamResetsPerS: 1 });
  fixture.runs('shop', ['/*'], {
    http: async ({ context }) => {
      await aborted(context.signal);
      return failed('cancelled', context.signal.reason as FulcrumError);
    },
  });
  const cancel = Buffer.from([0, 0, 0, 8]);
  for (let stream = 1; stream < 400 && !frames.socket.destroyed; stream += 2) {
    get(frames, stream);
    frames.write(FRAME.reset, 0, stream, cancel);
  }
  await frames.closed;
  assert.ok(fixture.dispatcher.ran.length <= 52, `${fixture.dispatcher.ran.length} were run`);
});

test('a header that never ends is cut off (continuation flood)', async (t) => {
  const { fixture, frames } = await scene(t);
  frames.write(FRAME.headers, END_STREAM, 1, block(GET));
  for (let i = 0; i < 1_000 && !frames.socket.destroyed; i++) {
    frames.write(FRAME.continuation, 0, 1, block(['x-a', 'y'.repeat(100)]));
  }
  await frames.closed;
  assert.equal(fixture.dispatcher.ran.length, 0);
});

for (const [name, type, payload] of [
  ['pings', FRAME.ping, Buffer.alloc(8)],
  ['settings', FRAME.settings, Buffer.from([0, 3, 0, 0, 0, 100])],
] as const) {
  test(`a flood of ${name} whose answers nobody reads is cut off`, async (t) => {
    const { fixture, frames } = await scene(t);
    frames.socket.pause();
    let more = true;
    for (let i = 0; i < 2_000 && more && !frames.socket.destroyed; i++) {
      for (let j = 0; j < 500; j++) frames.write(type, 0, 0, payload);
      if (frames.socket.writableLength > 64 * 1024 * 1024) more = false;
      await new Promise((resolve) => void setImmediate(resolve));
    }
    frames.socket.resume();
    await frames.closed;
    assert.equal(fixture.gateway.connections, 0);
  });
}

test('no more streams at once than may be: one more is refused, the others are served', async (t) => {
  const { fixture, frames } = await scene(t, { maxStreams: 3 });
  let go = (): void => undefined;
  const gate = new Promise<void>((resolve) => void (go = resolve));
  fixture.runs('shop', ['/*'], {
    http: async ({ response }) => {
      await gate;
      response.head({ status: 200, headers: [] });
      response.end();
      return OK;
    },
  });
  for (const stream of [1, 3, 5, 7]) get(frames, stream);
  const refused = await frames.until(({ type }) => type === FRAME.reset);
  assert.deepEqual([refused!.stream, refused!.payload.readUInt32BE(0)], [7, 7]);
  go();
  for (const stream of [1, 3, 5]) {
    assert.ok(await frames.until((frame) => frame.stream === stream && frame.type === FRAME.headers));
  }
  assert.equal(fixture.dispatcher.ran.length, 3);
});

const MALFORMED: [string, readonly string[]][] = [
  ['connection', [...GET, 'connection', 'close']],
  ['transfer-encoding', [...GET, 'transfer-encoding', 'chunked']],
  ['a name in capitals', [...GET, 'X-A', 'b']],
  ['no :path', GET.filter((_, i) => i !== 4 && i !== 5)],
  ['two :path', [...GET, ':path', '/b']],
  ['a pseudo-field behind a field', ['x-a', 'b', ...GET]],
  ['a length that is not kept to', [...GET, 'content-length', '5']],
];
for (const [name, fields] of MALFORMED) {
  test(`${name}: the stream is reset, no component sees it, and the connection serves on`, async (t) => {
    const { fixture, frames } = await scene(t);
    frames.write(FRAME.headers, END_HEADERS | END_STREAM, 1, block(fields));
    const reset = await frames.until(({ stream, type }) => stream === 1 && type === FRAME.reset);
    assert.equal(reset!.payload.readUInt32BE(0), 1);
    assert.equal(fixture.dispatcher.ran.length, 0);
    assert.ok(await serves(frames, 3));
  });
}

test('two hosts in one request: 400', async (t) => {
  const { fixture, session } = await scene(t);
  const stream = session().request({ ':path': '/', ':authority': 'a.test', host: 'b.test' });
  const [headers] = (await once(stream, 'response')) as [Record<string, unknown>];
  assert.equal(headers[':status'], 400);
  assert.equal(fixture.dispatcher.ran.length, 0);
  assert.deepEqual(
    (await fixture.logged(1)).map(({ component, fields }) => [component, fields!['status']]),
    [['-', 400]],
  );
});

test('more header than is ever looked at is reset without an answer', async (t) => {
  const { session } = await scene(t);
  const values = Object.fromEntries(Array.from({ length: 6 }, (_, i) => [`x-${i}`, 'y'.repeat(20_000)]));
  const large = session().request({ ':path': '/', ...values });
  large.on('error', () => undefined);
  await new Promise((resolve) => void large.once('close', resolve));
  assert.notEqual(large.rstCode, 0);
});

test('a field with a line break in it goes no further', async (t) => {
  const { fixture, frames } = await scene(t);
  let seen: readonly string[] = [];
  fixture.runs('shop', ['/*'], {
    http: ({ head, response }) => {
      seen = head.headers;
      response.head({ status: 200, headers: [] });
      response.end();
      return Promise.resolve(OK);
    },
  });
  get(frames, 1, 'x-a', 'a\r\nx-b: c', 'x-c', 'd');
  await fixture.logged(1);
  assert.ok(seen.includes('x-c') && !seen.includes('x-a') && !seen.includes('x-b'));
});

test('what is no HTTP/2 ends the connection', async (t) => {
  const { fixture, frames } = await scene(t);
  frames.socket.write('GET / HTTP/1.1\r\nHost: a.test\r\n\r\n');
  await frames.closed;
  assert.equal(fixture.dispatcher.ran.length, 0);
});

test('close: the client is told the last stream that is served, and its answer comes whole', async (t) => {
  const { fixture, frames } = await scene(t);
  let go = (): void => undefined;
  const gate = new Promise<void>((resolve) => void (go = resolve));
  const begun = new Promise<void>((resolve) => {
    fixture.runs('shop', ['/*'], {
      http: async ({ response }) => {
        resolve();
        await gate;
        response.head({ status: 200, headers: [] });
        response.data(Buffer.from('whole'));
        response.end();
        return OK;
      },
    });
  });
  get(frames, 1);
  await begun;
  const closed = fixture.gateway.close(10_000);
  const goaway = await frames.until(({ type }) => type === FRAME.goaway);
  assert.deepEqual([lastStreamOf(goaway!), goaway!.payload.readUInt32BE(4)], [1, 0]);
  go();
  const data = await frames.until(({ type, stream }) => type === FRAME.data && stream === 1);
  assert.equal(data!.payload.toString(), 'whole');
  await closed;
  assert.equal(fixture.gateway.connections, 0);
});

test('leaving: what was asked before the GOAWAY is answered, and the connection ends', async (t) => {
  const { fixture, frames } = await scene(t);
  assert.ok(await serves(frames, 1));
  await fixture.gateway.releaseListening(60_000);
  const goaway = await frames.until(({ type }) => type === FRAME.goaway);
  assert.deepEqual([lastStreamOf(goaway!), goaway!.payload.readUInt32BE(4)], [1, 0]);
  assert.equal(fixture.gateway.connections, 0);
});

test('a connection without requests is closed after its time, with a goodbye', async (t) => {
  const { frames } = await scene(t, { keepAliveMs: 50, headersTimeoutMs: 50 });
  assert.ok(await frames.until(({ type }) => type === FRAME.goaway));
  await frames.closed;
});
