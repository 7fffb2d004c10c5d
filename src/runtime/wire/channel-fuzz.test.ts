import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import * as fc from 'fast-check';
import { systemClock } from '../../base/clock.ts';
import { FulcrumError } from '../../base/errors.ts';
import { readCall } from './call-frame.ts';
import type { BodySource } from '../../model/body.ts';
import { NO_CALLER } from '../../model/calls.ts';
import type { InstanceHome } from '../../model/instance.ts';
import type { InvocationContext, InvocationResult, Returned } from '../../model/invocation.ts';
import type { WireConnection } from './connection.ts';
import { COMPOSE_MINOR, FRAME } from './frames.ts';
import { FrameWriter } from './frame-writer.ts';
import { InvocationExchangeStream } from './invocation-exchange.ts';

import { OutboundCalls } from './outbound-calls.ts';
import { damage, damages } from './testing/damage.ts';
import { connectionOver, socketPair } from './testing/pair.ts';

const RUNS = process.env['FULCRUM_FULL'] === undefined ? 300 : 10_000;

type Write = (writer: FrameWriter) => void;

function transcript(write: Write): Buffer {
  const written: Uint8Array[] = [];
  const writer = new FrameWriter({
    cork: () => undefined,
    uncork: () => undefined,
    write: (bytes) => written.push(bytes),
  });
  write(writer);
  writer.flush();
  return Buffer.concat(written);
}

function channel(writer: FrameWriter, id: number, call: number, number: number): void {
  const at = writer.begin(FRAME.CHANNEL, 0, id, 6);
  writer.slab.writeUInt32LE(call, at);
  writer.slab.writeUInt16LE(number, at + 4);
}

/** What a well-behaved instance may do: answer the call of stream 1 with streams, or call others with some. */
const TRANSCRIPTS: readonly Write[] = [
  (writer) => {
    channel(writer, 2, 1, 0);
    channel(writer, 4, 1, 1);
    // The stream that the server has opened for the call's arguments is not wanted, and this is why.
    writer.data(3, Buffer.from('enough'));
    writer.number(FRAME.DONE, 3, 0);
    writer.data(1, Buffer.from('a value'));
    writer.begin(FRAME.BODY_END, 0, 1, 0);
    writer.data(2, Buffer.alloc(3_000, 1));
    writer.begin(FRAME.BODY_END, 0, 2, 0);
    writer.json(FRAME.BODY_FAILED, 0, 4, { code: 'client-gone', message: 'no' });
    writer.number(FRAME.DONE, 1, 12);
  },
  (writer) => {
    const head = { kind: 'call', function: 'f', encoding: 'clone', to: 'other', parent: 1 };
    writer.json(FRAME.CALL, 0, 2, head);
    channel(writer, 4, 2, 0);
    channel(writer, 6, 2, 1);
    writer.data(2, Buffer.from('arguments'));
    writer.begin(FRAME.BODY_END, 0, 2, 0);
    writer.data(4, Buffer.alloc(2_000, 2));
    writer.begin(FRAME.BODY_END, 0, 4, 0);
    writer.json(FRAME.BODY_FAILED, 0, 6, { code: 'handler-error', message: 'no' });
    writer.number(FRAME.DONE, 3, 0);
    writer.number(FRAME.DONE, 1, 0);
  },
];

const CONTEXT: InvocationContext = {
  component: 'store',
  call: null,
  requestId: 'r_1',
  traceparent: '',
  trigger: 'call',
  deadlineMs: systemClock.monotonicMs() + 600_000,
  signal: new AbortController().signal,
};

/** A body that is all there. */
const SOURCE: BodySource = {
  lengthBytes: null,
  read: (reader) => {
    reader.data(Buffer.alloc(100));
    reader.end();
  },
  pause: () => undefined,
  resume: () => undefined,
  cancel: () => undefined,
};

/** Every stream that comes is read; each must end, once. */
class Reading {
  readonly #ends: Promise<void>[] = [];

  all(passed: readonly BodySource[]): void {
    for (const source of passed) {
      const { promise, resolve } = Promise.withResolvers<void>();
      let ends = 0;
      const ended = (): void => {
        assert.equal(++ends, 1);
        resolve();
      };
      source.read({ data: () => assert.equal(ends, 0), end: ended, fail: ended });
      this.#ends.push(promise);
    }
  }

  async over(): Promise<void> {
    await Promise.all(this.#ends);
  }
}

function serve(
  near: Parameters<typeof connectionOver>[0],
  reading: Reading,
): {
  server: WireConnection;
  result: Promise<InvocationResult>;
} {
  const caller = {
    ...NO_CALLER,
    call: (
      _from: string,
      _to: string,
      invocation: { passed?: readonly BodySource[]; onReturned?: (r: Returned) => void },
    ) => {
      reading.all(invocation.passed ?? []);
      const value = { encoding: 'clone', bytes: Buffer.from('given') } as const;
      invocation.onReturned?.({ value, passed: [SOURCE] });
      return Promise.resolve({ outcome: 'ok', error: null, cpuMs: 0, value, thrown: null } as const);
    },
  } as InstanceHome['caller'];
  const server: WireConnection = connectionOver(near, 'server', {
    opened: (stream, _type, flags, payload) => outbound.opened(stream, readCall(flags, payload)),
  });
  const outbound = new OutboundCalls('shop', server, { caller } as InstanceHome, systemClock);
  const invocation = {
    kind: 'call',
    function: 'f',
    args: { encoding: 'clone', bytes: Buffer.from('args') },
    passed: [SOURCE],
    onReturned: ({ passed }: Returned) => reading.all(passed),
  } as const;
  const exchange = new InvocationExchangeStream(invocation, CONTEXT, server, COMPOSE_MINOR, systemClock);
  return { server, result: exchange.ended };
}

async function send(t: TestContext, bytes: Buffer): Promise<FulcrumError | null> {
  const [near, far] = await socketPair(t);
  const reading = new Reading();
  const { server, result } = serve(near, reading);
  far.resume();
  far.end(bytes);
  const reason = await server.closed;
  server.loseStreams(reason ?? new FulcrumError('instance-crashed', 'It has gone.'));
  await result;
  await reading.over();
  far.destroy();
  return reason;
}

test('what a well-behaved instance does with channels is no break of the protocol', async (t) => {
  for (const write of TRANSCRIPTS) assert.equal(await send(t, transcript(write)), null);
});

test(`whatever an instance sends about channels harms its own connection at most, ${RUNS} times`, async (t) => {
  await fc.assert(
    fc.asyncProperty(fc.nat(TRANSCRIPTS.length - 1), damages, async (kind, hurts) => {
      const reason = await send(t, hurts.reduce(damage, transcript(TRANSCRIPTS[kind]!)));
      assert.ok(reason === null || reason.code === 'wire-protocol', String(reason));
    }),
    { numRuns: RUNS },
  );
});

test('a channel that no call has, or has out of turn, ends the connection', async (t) => {
  const head = { kind: 'call', function: 'f', encoding: 'clone', to: 'other', parent: null };
  const event = { type: 'a', contentType: 'a/b', key: null, delayMs: 0, dedupe: null, subject: null };
  const cases: Write[] = [
    (writer) => channel(writer, 2, 1, 1),
    (writer) => channel(writer, 3, 1, 0),
    (writer) => [0, 0].forEach((number, i) => channel(writer, 2 + 2 * i, 1, number)),
    (writer) => Array.from({ length: 33 }, (_, i) => channel(writer, 2 + 2 * i, 1, i)),
    (writer) => writer.bytes(FRAME.CHANNEL, 0, 2, Buffer.alloc(5)),
    (writer) => {
      channel(writer, 2, 1, 0);
      // A channel of a channel.
      channel(writer, 4, 2, 0);
    },
    (writer) => {
      channel(writer, 2, 1, 0);
      writer.json(FRAME.BODY_FAILED, 0, 2, { code: 'no-such-code', message: '' });
    },
    (writer) => {
      channel(writer, 2, 1, 0);
      writer.number(FRAME.DONE, 1, 0);
    },
    (writer) => {
      writer.begin(FRAME.BODY_END, 0, 1, 0);
      channel(writer, 2, 1, 0);
    },
    (writer) => {
      writer.begin(FRAME.BODY_END, 0, 1, 0);
      writer.data(1, Buffer.from('more'));
    },
    (writer) => {
      writer.json(FRAME.CALL, 0, 2, head);
      writer.begin(FRAME.BODY_END, 0, 2, 0);
      channel(writer, 4, 2, 0);
    },
    (writer) => {
      writer.json(FRAME.CALL, 0, 2, { kind: 'publish', encoding: 'json', event });
      channel(writer, 4, 2, 0);
    },
    (writer) => {
      // Why the server's channel is not wanted, at too great a length.
      for (let i = 0; i < 5; i++) writer.data(3, Buffer.alloc(16 * 1024));
    },
  ];
  for (const [i, write] of cases.entries()) {
    const reason = await send(t, transcript(write));
    assert.deepEqual([i, reason?.code], [i, 'wire-protocol']);
  }
});
