import assert from 'node:assert/strict';
import { once } from 'node:events';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { systemClock } from '../../base/clock.ts';
import { FulcrumError } from '../../base/errors.ts';
import type { HttpExchange } from '../../model/http.ts';
import type { InvocationEnd } from '../../model/invocation.ts';
import type { WireConnection } from './connection.ts';
import { FRAME } from './frames.ts';
import { FrameWriter } from './frame-writer.ts';
import { HeadTexts } from './head-texts.ts';
import { carryHttp } from './http-exchange.ts';
import { writeAnswer, writeLog, writeResponse } from './messages.ts';
import { damage, damages } from './testing/damage.ts';
import { connectionOver, socketPair } from './testing/pair.ts';

const RUNS = process.env['FULCRUM_FULL'] === undefined ? 300 : 10_000;
/** The stream that the server's first request has. */
const STREAM = 1;

/** What a well-behaved instance may answer to one request, in several ways. */
function transcript(kind: number): Buffer {
  const written: Uint8Array[] = [];
  const writer = new FrameWriter({
    cork: () => undefined,
    uncork: () => undefined,
    write: (bytes) => written.push(bytes),
    // What is kept here is never given back.
  });
  writeLog(writer, { stream: 'stdout', level: 'info', requestId: 'r_1', text: 'a line' });
  const headers = ['content-type', 'text/plain', 'x-a', 'b'];
  if (kind === 0) {
    writeAnswer(writer, STREAM, { status: 200, headers, body: 'hello', cpuMicros: 12 });
  } else if (kind === 1) {
    writeResponse(writer, STREAM, 201, headers, true);
    writer.data(STREAM, Buffer.from('hello, '));
    writer.data(STREAM, Buffer.alloc(5_000, 'x'));
    writer.begin(FRAME.BODY_END, 0, STREAM, 0);
    writer.number(FRAME.DONE, STREAM, 12);
  } else {
    writer.number(FRAME.WINDOW, STREAM, 1_000);
    writer.begin(FRAME.BODY_STOP, 0, STREAM, 0);
    const failure = { code: 'handler-error', message: 'no', thrown: null, cpuMicros: 1 };
    writer.json(FRAME.FAILED, 0, STREAM, failure);
  }
  writer.number(FRAME.PING, 0, 7);
  writer.bytes(200, 0, 0, Buffer.from('from the future'));
  writer.flush();
  return Buffer.concat(written);
}

test(`whatever an instance sends harms its own connection at most, ${RUNS} times`, async (t) => {
  const [otherNear, otherFar] = await socketPair(t);
  const other = connectionOver(otherNear, 'server');
  connectionOver(otherFar, 'instance');
  await fc.assert(
    fc.asyncProperty(fc.nat(2), damages, async (kind, hurts) => {
      const [near, far] = await socketPair(t);
      const server = connectionOver(near, 'server');
      const { end, calls } = ask(server);
      far.resume();
      far.end(hurts.reduce(damage, transcript(kind)));
      const reason = await server.closed;
      assert.ok(reason === null || reason.code === 'wire-protocol', String(reason));
      server.loseStreams(reason ?? new FulcrumError('instance-crashed', 'It has gone.'));
      await end;
      // Whatever came, it came in an order that a client can be given.
      assert.match(calls.join(' '), /^(?:head(?: data)*(?: end)?)?$/);
      far.destroy();
    }),
    { numRuns: RUNS },
  );
  assert.equal(await other.ping(5_000), true, 'the others go on');
});

test('bytes that are none of ours at all end the connection, and are not gathered', async (t) => {
  const [near, far] = await socketPair(t);
  const server = connectionOver(near, 'server');
  const { end } = ask(server);
  far.on('error', () => undefined);
  far.write(Buffer.alloc(10_000_000, 0xee));
  assert.equal((await server.closed)?.code, 'wire-protocol');
  server.loseStreams(new FulcrumError('wire-protocol', 'It broke the protocol.'));
  assert.equal((await end).outcome, 'crashed');
});

test('however many frames a turn of the loop has, they are written once', async (t) => {
  const [near, far] = await socketPair(t);
  const server = connectionOver(near, 'server');
  connectionOver(far, 'instance');
  let writes = 0;
  const write = near.write.bind(near);
  near.write = ((...args: Parameters<typeof write>) => {
    writes++;
    return write(...args);
  }) as typeof near.write;
  const pings = Array.from({ length: 200 }, () => server.ping(5_000));
  await once(far, 'data');
  assert.equal(writes, 1);
  assert.deepEqual(new Set(await Promise.all(pings)), new Set([true]));
});

/** A request on its way, and what its client is given. */
function ask(connection: WireConnection): { end: Promise<InvocationEnd>; calls: string[] } {
  const calls: string[] = [];
  const { promise, resolve } = Promise.withResolvers<InvocationEnd>();
  const exchange: HttpExchange = {
    context: {
      component: 'hello',
      call: null,
      requestId: 'r_1',
      traceparent: '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01',
      trigger: 'route',
      deadlineMs: systemClock.monotonicMs() + 60_000,
      signal: new AbortController().signal,
    },
    head: { method: 'GET', url: 'http://a/', target: '/', headers: ['host', 'a'] },
    body: null,
    response: {
      head: () => void calls.push('head'),
      data: () => calls.push('data') > 0,
      end: () => void calls.push('end'),
      onDrain: () => undefined,
    },
    ended: resolve,
  };
  carryHttp(exchange, connection, systemClock, new HeadTexts());
  return { end: promise, calls };
}
